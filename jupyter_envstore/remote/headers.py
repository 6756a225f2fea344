"""Headers that a server and a store elsewhere, whose client it is, say to each other."""

from __future__ import annotations

from functools import cache

API_PATH = "EnvStore-Api-Path"
"""Of a request: the path at which the client shows the REST API, with a slash at its end; addresses begin with it."""
VERSION = "EnvStore-Version"
"""Of requests and answers: the version of jupyter-envstore that speaks."""


LINES = "application/x-ndjson"
"""Media type of an answer whose lines are JSON values of their own."""


@cache
def own_version() -> str:
    """Return the version of this package; looked up once, since it is in a file of what is installed."""
    from jupyter_envstore import __version__

    return __version__
