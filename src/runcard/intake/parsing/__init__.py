"""The reading of report files, in this process or in one of its own."""
