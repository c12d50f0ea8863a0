"""The pages of parts, revisions and batches."""
