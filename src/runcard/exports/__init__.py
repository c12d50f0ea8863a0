"""Exports of runs and measurements: CSV, JSON lines, Parquet, and files for spreadsheets."""
