"""Report files on their way in, whoever brings them: choices, reading, recording, quarantine."""
