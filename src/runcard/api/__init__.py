"""The JSON APIs. Versions do not import each other."""
