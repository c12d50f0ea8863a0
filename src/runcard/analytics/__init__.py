"""The columnar copy of what was recorded, and what is asked of it. It may be deleted at any time and grows back."""
