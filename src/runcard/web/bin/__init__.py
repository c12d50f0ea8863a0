"""Deleting things in the browser, and the bin, from where they can be restored."""
