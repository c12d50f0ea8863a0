"""Questions on how much the floor does, and how long it takes."""
