"""How rows are written: the transaction, group commit, the writer's catalog, the change log."""
