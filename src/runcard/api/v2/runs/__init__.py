"""Runs, and what is inside them."""
