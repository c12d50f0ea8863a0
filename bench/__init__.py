"""Benchmarks. They are part of neither the test run nor the installed package."""
