"""A run, as it is claimed and as it is recorded, with all that lies inside it."""
