"""The truth: what was recorded, and the only home of SQL."""
