"""HTTP: what all doors share, from the first byte of a connection to the answer."""
