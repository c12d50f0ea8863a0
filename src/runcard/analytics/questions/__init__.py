"""The questions put to the copy: one file per question, with what only that question needs."""
