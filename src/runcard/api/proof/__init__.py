"""What proves that nobody changed a record: receipts of runs, signed heads, and that one head follows another."""
