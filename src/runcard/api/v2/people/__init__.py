"""Users, and whose key it is."""
