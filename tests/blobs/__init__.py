"""Blobs: files of a machine, objects of a bucket."""
