"""Commands about an installation as a whole: serving it, checking it, its keys, and what can be made anew."""
