"""Reports of Virinco WATS: WSJF (JSON) and WSXF (XML), tests and repairs."""
