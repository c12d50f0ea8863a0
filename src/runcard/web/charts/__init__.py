"""Charts and figures that several pages show."""
