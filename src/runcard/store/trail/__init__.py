"""The audit trail: what each change leaves behind, written in the transaction of the change."""
