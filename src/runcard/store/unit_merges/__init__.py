"""Two units that are one: merging them, and splitting them again."""
