"""What lists share: filter bars, periods, pages, orders, and the same rows as a file."""
