"""The API for command lines of stations and developers: who they are, and which code to run."""
