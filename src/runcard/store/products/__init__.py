"""Services, their revisions, and batches."""
