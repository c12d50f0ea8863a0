"""Connections from their first byte on: their limits, their number, and the client behind each."""
