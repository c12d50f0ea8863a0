"""Organizations, and who acts in them: users, teams, sessions, invitations, API keys."""
