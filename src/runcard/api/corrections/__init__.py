"""Corrections over REST: what is true of runs and units, where a report was wrong."""
