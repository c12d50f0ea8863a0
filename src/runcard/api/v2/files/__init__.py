"""Attachments, images, and report files that are imported."""
