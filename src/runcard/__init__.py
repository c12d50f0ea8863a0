"""Runcard: a self-hosted data platform for hardware test."""

__version__ = "0.1.0"
