"""Questions on the values of measurements."""
