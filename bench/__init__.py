"""Timings; never part of the test run or of what is installed."""
