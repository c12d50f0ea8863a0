"""Files on pages: pictures, and the beginning of the others."""
