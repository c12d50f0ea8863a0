"""The installation as a whole: checks and copies of it."""
