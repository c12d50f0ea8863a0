"""Background work: deleting what is old, and moving what follows merges."""
