"""Installers: one file that puts a locked environment on a machine without a network."""
