"""REST: two units that are one are merged, and split again."""
