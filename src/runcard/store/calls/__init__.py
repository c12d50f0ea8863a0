"""What was called over the APIs, kept beside the record."""
