"""A local conda channel, made from Python installations and PyPI wheels."""
