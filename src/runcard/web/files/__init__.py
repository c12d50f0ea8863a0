"""Files on pages: pictures, and previews of other files."""
