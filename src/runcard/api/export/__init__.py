"""Runs and measurements, streamed as files."""
