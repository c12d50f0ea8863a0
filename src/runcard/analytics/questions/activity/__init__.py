"""How much the floor does, and how long that takes."""
