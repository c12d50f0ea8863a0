"""Files in quarantine over REST."""
