"""Comments, tags and causes on pages: the section of a thing, and the settings of tags and causes."""
