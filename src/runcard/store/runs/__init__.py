"""Runs: a header row each, and the document behind it."""
