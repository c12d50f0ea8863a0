"""Units: where each belongs, how it came there, how often it was tried, how it was repaired."""
