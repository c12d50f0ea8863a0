"""The page of a measurement, the page of values in all runs, and their charts."""
