"""The bin: deleted things wait in it, and can be restored. What is gone for good leaves a tombstone."""
