"""The move of a whole installation from SQLite to PostgreSQL, while its server runs."""
