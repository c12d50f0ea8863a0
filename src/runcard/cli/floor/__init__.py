"""Commands for an organization, its people, stations, procedures and keys."""
