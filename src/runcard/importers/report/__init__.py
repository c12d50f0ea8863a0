"""What every importer uses to build its reports: the content of a run, remarks, and the sender's statements."""
