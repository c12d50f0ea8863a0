"""Runs are committed by a process of their own: it, and how the server hands runs over."""
