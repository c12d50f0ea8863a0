"""A JSON door: comments, tags and causes."""
