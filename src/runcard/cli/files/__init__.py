"""Commands that read and write files of records: import, quarantine, export."""
