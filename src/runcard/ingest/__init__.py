"""The only way in: everything that records a run."""
