"""What lies inside runs: phases, measurements, logs."""
