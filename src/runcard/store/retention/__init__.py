"""What is older than an organization keeps it, and what was deleted for its age."""
