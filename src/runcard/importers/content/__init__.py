"""What every file is read with: packed bytes, the first bytes, XML as a stream, and texts as values."""
