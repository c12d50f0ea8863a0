"""Voiding runs, which no figure counts then, and letting them count again."""
