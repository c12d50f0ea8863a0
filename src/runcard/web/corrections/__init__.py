"""The pages that correct runs and units."""
