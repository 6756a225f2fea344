"""Builds on a cluster: PostgreSQL, a bucket, Dask workers with folders of their own."""
