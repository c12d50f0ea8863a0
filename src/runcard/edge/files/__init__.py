"""Uploads and downloads of files, by signed links."""
