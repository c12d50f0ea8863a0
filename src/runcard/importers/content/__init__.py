"""Tools for reading any file: unpacking, the first bytes, XML as a stream, and texts as values."""
