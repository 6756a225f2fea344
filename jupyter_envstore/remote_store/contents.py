"""What builds of a store elsewhere consist of and are turned into, and what their workers wrote."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn, cast

from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.database.states import ABSENT, DROPPED
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.artifact_kinds import artifact_name
from jupyter_envstore.remote.answers import strange
from jupyter_envstore.remote_store.connection import StoreConnection, path_of

if TYPE_CHECKING:
    from jupyter_envstore.images.reference import Reference
    from jupyter_envstore.representation.artifacts import ArtifactView
    from jupyter_envstore.representation.builds import KeptPackages
    from jupyter_envstore.representation.packages import PackageChange

IMAGE = "docker"
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@=-]{0,254}")
"""What files of artifacts are called: no folder, nothing hidden."""


class Logs:
    """What workers wrote while they built."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def read(self, build_id: int) -> str:
        """Return the log so far."""
        return self.part(build_id, 0)[0]

    def part(self, build_id: int, offset: int) -> tuple[str, int]:
        """Return the log so far behind byte ``offset``, and the offset behind it; no character is cut."""
        data = self._connection.data(path_of("build", build_id, "logs"), offset=offset or None)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = decoder.decode(data)
        return printable(text), offset + len(data) - len(decoder.getstate()[0])


class Packages:
    """What builds consist of."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def diff(self, first: int, second: int) -> list[PackageChange]:
        """Return what changed from one build to another."""
        return cast("list[PackageChange]", self._connection.get(path_of("build", first, "diff", second)))

    def keep(self, build_id: int, wanted: bool, who: str = "") -> None:
        """Store the files of a build's packages, in the background, or let them go."""
        del who
        self._connection.send("PUT", path_of("build", build_id, "keep"), {"packages": wanted})

    def kept(self, build_id: int) -> KeptPackages:
        """Return what is kept of a build, and what could not be had."""
        return cast("KeptPackages", self._connection.get(path_of("build", build_id, "keep")))


class Artifacts:
    """What builds are turned into."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def request(self, build_id: int, kind: str, variant: str = "", who: str = "") -> int:
        """Have an artifact made, unless it is ready or being made, or one may not; return its id.

        Raises
        ------
        InvalidInputError
            There is no such type or variant.
        ConflictError
            It cannot be made of this build.
        PermissionDeniedError
            It is not there, and one may not have it made.
        """
        del who
        for found in self._connection.get(path_of("build", build_id, "artifacts")):
            is_it = (found["type"], found["variant"]) == (artifact_name(kind), variant)
            if is_it and found["state"] not in (ABSENT, DROPPED, "failed"):
                return int(found["id"])
        return int(self._connection.send("POST", self._path(build_id, kind), {"variant": variant})["id"])

    def find(self, build_id: int, kind: str, variant: str = "") -> ArtifactView:
        """Return the state of an artifact of a build.

        Raises
        ------
        NotFoundError
            It was never asked for.
        RemoteStoreUnavailableError
            The store gives it a name that no file has.
        """
        told = self._connection.get(self._path(build_id, kind), variant=variant)
        name = told["file_name"]
        if told["type"] != artifact_name(kind) or not isinstance(name, str) or not PLAIN_NAME.fullmatch(name):
            raise strange(self._connection.url)
        return cast("ArtifactView", told)

    def pieces(self, build_id: int, kind: str, variant: str = "") -> Iterator[bytes]:
        """Return the bytes that people are given of a ready artifact: of an image, all of it as one file."""
        if artifact_name(kind) == IMAGE:
            return self._connection.pieces(path_of("build", build_id, IMAGE), download="true")
        return self._connection.pieces(f"{self._path(build_id, kind)}file/", variant=variant)

    def note_download(self, who: str, build_id: int, kind: str) -> None:
        """Leave it to the store, which notes downloads itself."""

    @staticmethod
    def _path(build_id: int, kind: str) -> str:
        return path_of("build", build_id, "artifacts", artifact_name(kind))


class Images:
    """Docker images of builds."""

    def __init__(self, connection: StoreConnection) -> None:
        self._connection = connection

    def push(self, digest: str, target: Reference, report: Callable[[str, int, bool], None]) -> NoReturn:
        """Refuse it, and tell the way: the image is in the registry of the store.

        Raises
        ------
        InvalidInputError
            Always.
        """
        del digest, report
        msg = (
            f"images of a store elsewhere are in its own registry, from which {target} is made with: skopeo copy "
            "docker://ADDRESS docker://TARGET (download --artifact docker gives the image as one file)"
        )
        raise InvalidInputError(msg)
