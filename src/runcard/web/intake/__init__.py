"""The pages of report files: the form that sends them, what became of each, quarantine, and columns of tables."""
