"""Report files on their way in: quarantine, import templates, and runs that are taken back or replaced."""
