"""The calls of the APIs, kept beside the record."""
