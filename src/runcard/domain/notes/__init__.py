"""What people note on things: comments, tags, and causes from a tree. It is no part of any report."""
