"""XML reports of NI TestStand."""
