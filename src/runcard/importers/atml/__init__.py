"""ATML test results (IEEE 1636.1)."""
