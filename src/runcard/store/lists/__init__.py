"""What all lists share: the filter of runs, the page, and the references to other records."""
