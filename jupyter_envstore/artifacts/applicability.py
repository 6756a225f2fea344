"""Whether an artifact can be made of a build: one of PyPI packages needs a build that has some."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from jupyter_envstore.errors import ArtifactError, ConflictError
from jupyter_envstore.policy.artifact_kinds import artifact_kinds

if TYPE_CHECKING:
    from jupyter_envstore.database.builds import PackageSource
    from jupyter_envstore.engine.record import BuildRecord
    from jupyter_envstore.spec.lock_entries import PypiEntry

PACKAGES = {"conda": "conda packages", "pip": "PyPI packages"}


def applies(kind: str, sources: Collection[PackageSource]) -> bool:
    """Whether an artifact can be made of a build whose packages come from ``sources``; True for an unknown kind."""
    found = artifact_kinds().get(kind)
    return found is None or not found.manager or any(source.manager == found.manager for source in sources)


def check_applies(kind: str, number: int, sources: Collection[PackageSource]) -> None:
    """Refuse an artifact that cannot be made of a build.

    Parameters
    ----------
    number : int
        The number of the build, for the message.

    Raises
    ------
    ConflictError
        The build has no packages of the kind that the artifact is of.
    """
    if not applies(kind, sources):
        words = PACKAGES[artifact_kinds()[kind].manager]
        msg = f"build {number} has no {words}, and a {kind} artifact lists nothing else; a lockfile lists all packages"
        raise ConflictError(msg)


def pypi_packages(record: BuildRecord, platform: str, kind: str) -> Sequence[PypiEntry]:
    """Return the PyPI packages of a record for a platform, for an artifact that lists nothing else.

    Raises
    ------
    ArtifactError
        There are none.
    """
    found = record.lock(platform).pip
    if not found:
        msg = f"the build has no PyPI packages for {platform}, and a {kind} artifact lists nothing else"
        raise ArtifactError(msg)
    return found
