"""The API of command lines at stations and developers: who they are, and which code to run."""
