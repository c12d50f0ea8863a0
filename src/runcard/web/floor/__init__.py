"""What happens on the floor at a glance, and finding anything in it."""
