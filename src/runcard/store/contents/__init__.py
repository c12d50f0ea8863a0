"""What is inside runs: phases, measurements, logs."""
