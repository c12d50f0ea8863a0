"""Questions about yield, retests, times and measurements, answered as JSON."""
