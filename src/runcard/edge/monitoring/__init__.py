"""What a server tells of itself: whether it lives, whether it is ready, and its figures."""
