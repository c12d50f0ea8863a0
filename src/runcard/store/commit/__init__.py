"""How rows get in: a transaction, group commit, what the writer remembers, the change log."""
