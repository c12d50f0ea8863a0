"""What lists share: filter bars, periods, pages, orders, and their rows as a file."""
