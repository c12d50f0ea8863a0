"""Procedures: their versions, identifiers and merges."""
