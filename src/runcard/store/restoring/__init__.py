"""What becomes of deleted things: they are restored from the bin, or removed from it for good."""
