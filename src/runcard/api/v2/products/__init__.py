"""Parts, revisions and batches."""
