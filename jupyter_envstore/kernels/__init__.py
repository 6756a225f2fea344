"""Kernelspecs of environments, and their logos."""
