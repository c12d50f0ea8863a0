"""Files of runs and units: what each is, where its bytes lie, what it was imported as, and how it goes."""
