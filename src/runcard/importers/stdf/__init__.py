"""STDF V4, the files of semiconductor testers, and its text twin ATDF."""
