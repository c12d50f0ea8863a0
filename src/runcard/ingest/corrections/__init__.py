"""Corrections of what was recorded: what is true, where a report or a person was wrong."""
