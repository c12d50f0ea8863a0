"""The answers of doors: JSON, errors, and the OpenAPI document that describes both."""
