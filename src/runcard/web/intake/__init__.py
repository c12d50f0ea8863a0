"""The pages of report files: sending them, what has become of each, quarantine, columns of tables."""
