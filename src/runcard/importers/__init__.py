"""Bytes of a report file in, run reports out. One file a format."""
