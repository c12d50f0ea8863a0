"""The page of a measurement, values found in all runs, and how both are drawn."""
