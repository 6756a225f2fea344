"""The environment variables that worker processes and their tools may see."""

from __future__ import annotations

import os
import re

from jupyter_envstore.engine.stray_processes import JOB_MARK

# Everything else stays out: server tokens, database passwords, and what would steer the tools from outside.
PASSED_ON = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TMPDIR|TZ|XDG_\w+|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY|"
    r"SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC|CONDARC|RATTLER_AUTH_FILE|CONDA_OVERRIDE_\w+|"
    r"UV_(?:DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|HTTP_TIMEOUT|FIND_LINKS)|"
    + JOB_MARK
)
# What leads to credentials of channels and indexes is for tools, not for code of packages.
WORKERS_ALONE = ("PG", "KRB5", "AWS_", "GOOGLE_", "AZURE_", "FSSPEC_")
"""What variables begin with that lead to the database and the bucket: neither tools nor packages get them."""
LOGIN = re.compile(r"//[^/\s]*@|/t/")
"""In an address: user or password, or the token of a channel."""
LOGINS = re.compile(r"NETRC|CONDARC|RATTLER_AUTH_FILE|UV_KEYRING_PROVIDER|XDG_\w+")
FOR_PACKAGES = re.compile(
    r"LANG|LANGUAGE|LC_\w+|TZ|(?:https?|all|no)_proxy|(?:HTTPS?|ALL|NO)_PROXY|"
    r"SSL_CERT_(?:FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|" + JOB_MARK
)


def scrubbed_environment(**extra: str) -> dict[str, str]:
    """Return the variables of this process that a worker needs, and ``extra``."""
    return {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)} | extra


def worker_environment(**extra: str) -> dict[str, str]:
    """Return the variables of this process that a worker needs itself, and ``extra``; its tools get fewer.

    They have what libpq reads to reach the database (PostgreSQL, "Environment Variables"), Kerberos for it, and what
    libraries of object stores read.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith(WORKERS_ALONE)}
    return scrubbed_environment() | own | extra


def without_logins(**extra: str) -> dict[str, str]:
    """Return the variables for a tool that runs code of packages, and ``extra``: none holds or leads to a login."""
    found = {name: value for name, value in scrubbed_environment().items() if not LOGINS.fullmatch(name)}
    return {name: value for name, value in found.items() if not LOGIN.search(value)} | extra


def package_environment(**extra: str) -> dict[str, str]:
    """Return the variables of this process that code of packages may see, and ``extra``: no home folder among them."""
    return {name: value for name, value in os.environ.items() if FOR_PACKAGES.fullmatch(name)} | extra
