"""Questions on what passes, what fails, and what is tested again."""
