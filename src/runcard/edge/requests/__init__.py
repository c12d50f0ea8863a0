"""How doors read a request: its path, parameters, body and key, and the services that they are given."""
