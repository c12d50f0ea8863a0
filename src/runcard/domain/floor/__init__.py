"""What a floor has besides runs: its organization, procedures, units and files."""
