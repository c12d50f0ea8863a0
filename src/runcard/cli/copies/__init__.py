"""Commands that copy an installation or an organization out and back in."""
