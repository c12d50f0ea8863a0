"""What every command has: options, output, errors, help."""
