"""What every importer makes: the inside of a run, remarks, and what was stated beside the file."""
