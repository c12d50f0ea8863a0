"""Units: where each belongs, its moves, its runs and its repairs."""
