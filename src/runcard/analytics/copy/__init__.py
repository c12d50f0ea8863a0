"""The columnar copy: how it is laid out, kept up to date and shared."""
