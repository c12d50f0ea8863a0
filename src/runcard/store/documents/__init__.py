"""The documents of runs: in the database, and those of old runs in packs in a document store."""
