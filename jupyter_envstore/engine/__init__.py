"""conda and PyPI packages: the only place that knows rattler, uv and conda-lock."""
