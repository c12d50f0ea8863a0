"""Figures of arrays of numbers, by published definitions; nothing here knows of runs."""
