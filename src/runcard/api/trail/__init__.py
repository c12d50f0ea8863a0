"""The JSON door of the audit trail."""
