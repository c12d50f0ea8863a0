"""How the values of measurements lie."""
