"""What all pages share: the reader's log-in, forms, addresses, words and numbers."""
