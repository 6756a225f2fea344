"""Environments for Jupyter that can be shared and brought back exactly."""

__version__ = "0.1.0.dev0"
