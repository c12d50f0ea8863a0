"""The JSON doors. Versions are strangers to each other."""
