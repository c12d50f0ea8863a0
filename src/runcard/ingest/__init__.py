"""The only way in: everything that records runs."""
