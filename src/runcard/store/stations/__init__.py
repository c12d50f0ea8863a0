"""Stations: what each may report, and which code was deployed to it."""
