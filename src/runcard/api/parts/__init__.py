"""Merges of parts over REST."""
