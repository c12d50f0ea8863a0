"""What a door answers: JSON, errors, and the document that describes both."""
