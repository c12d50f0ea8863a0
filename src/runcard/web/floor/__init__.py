"""The overview of the floor, and the search for anything on it."""
