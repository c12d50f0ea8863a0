"""What keeps the columns."""
