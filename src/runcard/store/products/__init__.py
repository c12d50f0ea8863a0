"""Parts, their revisions, and batches."""
