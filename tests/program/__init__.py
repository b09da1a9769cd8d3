"""Recorded programs: what a user writes, what is recorded, what is replayed."""
