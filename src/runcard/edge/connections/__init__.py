"""Connections from their first byte on: what one may take, how many there are, and who is behind each."""
