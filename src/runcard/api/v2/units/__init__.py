"""Units, and which is part of which."""
