"""Repairs of units."""
