"""Parse report files into run reports, one module or folder for each format."""
