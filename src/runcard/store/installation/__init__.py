"""An installation as a whole: whether it is sound, and copies of it."""
