"""Commands that import and export files: import, quarantine, export."""
