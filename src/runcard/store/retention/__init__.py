"""Records that are older than their organization keeps them, and the log of what was deleted for its age."""
