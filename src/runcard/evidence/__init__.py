"""Proof that the record is whole: heads of its tree are signed."""
