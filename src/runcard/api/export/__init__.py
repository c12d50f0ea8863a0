"""Runs and measurements as files, streamed."""
