"""Background work: deleting what is old, and moving the runs of merged procedures."""
