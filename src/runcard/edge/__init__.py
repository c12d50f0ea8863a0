"""HTTP only: what every door shares, from the first byte of a connection to the answer."""
