"""Bytes that last: files addressed by their SHA-256."""
