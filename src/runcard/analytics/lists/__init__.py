"""Pages of records, found in the copy and read from the database."""
