"""Builds, from QUEUED to COMPLETED."""
