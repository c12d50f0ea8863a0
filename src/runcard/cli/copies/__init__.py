"""Commands that copy an installation or an organization to a folder, and back."""
