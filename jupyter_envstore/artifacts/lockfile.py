"""The lockfile, in conda-lock's format."""

from __future__ import annotations

from jupyter_envstore.artifacts.base import ArtifactRequest, version_of
from jupyter_envstore.engine.lock import lock_text, with_all_hashes
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.errors import InvalidInputError


class Lockfile:
    """``conda-lock.yml`` of all platforms."""

    def check_variant(self, variant: str) -> None:
        """There is one only.

        Raises
        ------
        InvalidInputError
            A variant is named.
        """
        if variant:
            msg = f"a lockfile holds all platforms; it has no variant {variant!r}"
            raise InvalidInputError(msg)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """The name that conda-lock looks for."""
        return "conda-lock.yml"

    def media_type(self, variant: str) -> str:
        """Text, shown in the browser."""
        return "text/plain; charset=utf-8"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write it as conda-lock would."""
        find = request.blobs.local_file
        record = with_all_hashes(request.record, request.progress, lambda entry: [find(entry["sha256"])])
        sink.write(lock_text(record).encode())
        return {"PyYAML": version_of("PyYAML")}
