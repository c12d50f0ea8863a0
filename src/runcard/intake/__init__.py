"""Report files on their way in, by every door: choices, reading, recording, quarantine."""
