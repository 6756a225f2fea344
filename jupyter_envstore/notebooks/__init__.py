"""Notebooks and their environments."""
