"""Bytes of files in and out by signed links."""
