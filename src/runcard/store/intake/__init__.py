"""Report files on their way in: quarantine, templates of tables, and what is taken back or replaced."""
