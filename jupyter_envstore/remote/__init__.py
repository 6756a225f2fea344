"""Stores elsewhere, which are reached over HTTP."""
