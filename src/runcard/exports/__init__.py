"""Records as files: CSV, JSON lines, Parquet, and tables for spreadsheets."""
