"""What every page is made with: who looks at it, its forms, addresses, words and numbers."""
