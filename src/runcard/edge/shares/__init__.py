"""The shares of callers in the server, so that stations come first and memory is limited (ADR 35)."""
