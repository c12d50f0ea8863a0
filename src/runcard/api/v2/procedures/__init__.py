"""Procedures, their versions, and where these were brought."""
