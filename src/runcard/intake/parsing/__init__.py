"""Report files read in a process of their own, or in this one."""
