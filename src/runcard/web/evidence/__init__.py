"""The audit trail on pages: who changed what."""
