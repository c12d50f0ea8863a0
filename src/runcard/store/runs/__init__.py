"""Runs: a header row each, and the document with what is inside."""
