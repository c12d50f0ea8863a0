"""Commands for an installation as a whole: serve it, check it, manage its keys, and rebuild derived data."""
