"""Files of runs and units: their attachments, their bytes, the imports they came with, and their removal."""
