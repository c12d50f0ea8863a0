"""Procedures, their versions and identifiers, and what was merged into them."""
