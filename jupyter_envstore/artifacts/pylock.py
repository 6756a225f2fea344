"""``pylock.toml`` (PEP 751): the PyPI packages of a build, each with the address and the hash of its file."""

from __future__ import annotations

import re

from jupyter_envstore import policy
from jupyter_envstore.artifacts.applicability import pypi_packages
from jupyter_envstore.artifacts.base import ArtifactRequest
from jupyter_envstore.engine.pylock import pylock_text
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.spec.platform_markers import marker_of


class Pylock:
    """``pylock.toml``; the variant is a platform of the lock."""

    def check_variant(self, variant: str) -> None:
        """Any platform may be asked for; the record decides."""
        policy.check_platform(variant)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``pylock.toml``, with the platform when it is not the usual one: the names that PEP 751 allows."""
        return f"pylock.{variant}.toml" if variant else "pylock.toml"

    def media_type(self, variant: str) -> str:
        """Text, shown in the browser."""
        return "text/plain; charset=utf-8"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write it."""
        sink.write(pylock_of(request.record, request.variant or request.platform).encode())
        return {}


def pylock_of(record: BuildRecord, platform: str) -> str:
    """Return the ``pylock.toml`` of ``record`` for ``platform``.

    Its version of Python is the minor one of the record: files are of that one.

    Raises
    ------
    ArtifactError
        The record has no PyPI packages for the platform.
    """
    packages = pypi_packages(record, platform, "pylock")
    python = re.match(r"\d+\.\d+", record.lock(platform).python or "")
    versions = f"=={python[0]}.*" if python else ""
    return pylock_text(packages, versions, [marker_of(platform)], record.pip_by_address)
