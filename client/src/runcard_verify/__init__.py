"""Check offline what a Runcard server has signed: receipts of entries and runs, and heads that were kept outside.

It shares no code with the server, reads nothing but the files that it is given, and needs one package, cryptography.
"""
