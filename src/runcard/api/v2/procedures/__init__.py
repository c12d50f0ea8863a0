"""Procedures, their versions, and their deployments."""
