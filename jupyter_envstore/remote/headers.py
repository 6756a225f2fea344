"""Headers that a server and a store elsewhere, whose client it is, say to each other."""

API_PATH = "EnvStore-Api-Path"
"""Of a request: the path at which the client shows the REST API, with a slash at its end; addresses begin with it."""
VERSION = "EnvStore-Version"
"""Of requests and answers: the version of jupyter-envstore that speaks."""
