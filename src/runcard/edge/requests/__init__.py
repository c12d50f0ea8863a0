"""What a door makes of a request: its path, parameters, body and key, and what it is given."""
