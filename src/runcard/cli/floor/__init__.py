"""Commands about who and what is on the floor."""
