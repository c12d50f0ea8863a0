"""Services, revisions and batches."""
