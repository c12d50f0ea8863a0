"""What one caller may take of the server, so that stations come first and memory is bounded (ADR 35)."""
