"""Runs, and what lies inside them."""
