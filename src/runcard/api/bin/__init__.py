"""The bin: what was deleted, restoring it, and removing it for good."""
