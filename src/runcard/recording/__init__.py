"""The process that commits runs, and how the server hands runs over to it."""
