"""The log of API calls: each call is noted as it is answered, and stored a moment later."""
