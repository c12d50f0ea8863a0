"""Figures of arrays of numbers, by published definitions. Nothing here knows of runs."""
