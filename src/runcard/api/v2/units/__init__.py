"""Units, their parents and their children."""
