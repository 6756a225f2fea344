"""The Jupyter application: configuration, and how its parts are put together."""
