"""What passes, what fails, and what is tested again."""
