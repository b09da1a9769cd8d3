"""Rows of large tables that catch up with an optimiser's steps when they are next read."""
