"""What every door shares: injected parts, errors, bodies, uploads."""
