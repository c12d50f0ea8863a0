"""The nouns and rules of a test floor. Pure: no I/O, no clock, no state."""
