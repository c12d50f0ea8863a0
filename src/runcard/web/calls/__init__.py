"""The pages of the log of API calls."""
