"""What may be asked of the copy: a file a question, with what only that question needs."""
