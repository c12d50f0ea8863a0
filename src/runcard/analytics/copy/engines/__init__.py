"""The engine that stores the columnar copy."""
