"""What goes on beside the record: deleting what is old, and moving the runs of merged procedures."""
