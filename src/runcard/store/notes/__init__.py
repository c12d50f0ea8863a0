"""Comments, tags and causes of runs, phases, measurements, units, batches and stations."""
