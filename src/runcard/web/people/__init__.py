"""The pages of members and of their organization: log-in, keys, settings and set-up."""
