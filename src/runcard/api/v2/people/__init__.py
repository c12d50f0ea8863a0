"""Users, and the owner of a key."""
