"""Stations: what each may report, and which code was brought to it."""
