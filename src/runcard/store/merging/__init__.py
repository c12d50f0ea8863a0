"""Merges and splits of procedures and of parts: which thing stands for which other one, and what records follow it."""
