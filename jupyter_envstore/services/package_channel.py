"""The kept packages of a store as a conda channel and a Python index, for each caller what that one may read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from packaging.utils import canonicalize_name

from jupyter_envstore.blobs.interface import BlobFile, BlobStore
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database import kept_packages as kept
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.kept_packages import CONDA, PYPI, ServedFile
from jupyter_envstore.database.states import READY
from jupyter_envstore.errors import ConflictError, NotFoundError
from jupyter_envstore.policy.access import Identity
from jupyter_envstore.services.artifacts import Artifacts
from jupyter_envstore.services.values import LISTED, Document
from jupyter_envstore.spec.reader import PLATFORMS

NOARCH = "noarch"

SIMPLE_HTML, SIMPLE_JSON = "text/html; charset=utf-8", "application/vnd.pypi.simple.v1+json"
"""Media types of a Python index (PEP 503, PEP 691)."""

LOCAL = ("url", "channel", "fn")
"""What a record says of where it was found, which is nobody else's business."""

MOST_INDEXES = 16
"""Indexes that are kept in memory: making one of 5,000 packages takes 0.2 s."""


class _Indexes:
    """The indexes that were asked for last, by what they were made of; threads share them."""

    def __init__(self) -> None:
        self._documents: OrderedDict[str, Document] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, seen: str) -> Document | None:
        """Return the index that was made of this, if there is one."""
        with self._lock:
            document = self._documents.get(seen)
            if document is not None:
                self._documents.move_to_end(seen)
            return document

    def keep(self, seen: str, document: Document) -> None:
        """Keep it; the one that nobody asked for longest goes."""
        with self._lock:
            self._documents[seen] = document
            if len(self._documents) > MOST_INDEXES:
                self._documents.popitem(last=False)


class PackageChannel:
    """What is kept, served."""

    def __init__(self, database: Database, blobs: BlobStore, artifacts: Artifacts) -> None:
        self._database = database
        self._blobs = blobs
        self._artifacts = artifacts
        self._indexes = _Indexes()

    def index(self, identity: Identity, subdir: str, packed: bool, digest: str = "") -> Document:
        """Return the index of a folder of the channel (``repodata.json``), ``packed`` with Zstandard or not.

        Of two files of one name the one that the newest build keeps is listed, and served. With ``digest`` it is the
        index of the channel that is this file alone.

        Raises
        ------
        NotFoundError
            No platform is called so.
        """
        check_subdir(subdir)
        states = self._states(subdir)
        builds = {state[2]: state for state in states if identity.may("environment::read", *state[:2])}
        seen = hashlib.sha256(repr((subdir, packed, digest, list(builds.values()))).encode()).hexdigest()
        document = self._indexes.find(seen)
        if document is None:
            files = self._readable(identity, CONDA, subdir)
            # a build that came since may be hidden from others who see what was looked at
            data = _index(subdir, (f for f in files if f.build_id in builds and digest in ("", f.digest)))
            document = Document(_packed(data), "application/zstd") if packed else Document(data, "application/json")
            if self._states(subdir) == states:  # else it may be of what came or went meanwhile
                self._indexes.keep(seen, document)
        return document

    def _states(self, subdir: str) -> list[tuple[str, str, int, str]]:
        with self._database.read() as session:
            return kept.served_states(session, CONDA, subdir)

    def file(self, identity: Identity, subdir: str, filename: str, digest: str = "") -> tuple[BlobFile, ServedFile]:
        """Return a conda package of the channel, the one of this ``digest`` where there are several of its name.

        Raises
        ------
        NotFoundError
            There is none, or none that the caller may read.
        """
        check_subdir(subdir)
        found = self._readable(identity, CONDA, subdir, filename=filename)
        return self._first((file for file in found if digest in ("", file.digest)), f"{subdir}/{filename}")

    def wheel(self, identity: Identity, digest: str, filename: str) -> tuple[BlobFile, ServedFile]:
        """Return a kept file of a PyPI package.

        Raises
        ------
        NotFoundError
            There is none, or none that the caller may read.
        """
        found = (file for file in self._readable(identity, PYPI, filename=filename) if file.digest == digest)
        return self._first(found, filename)

    def kept(self, identity: Identity, digests: Sequence[str]) -> list[str]:
        """Return the SHA-256 of those of some files that are kept, and that the caller may read."""
        with self._database.read() as session:
            found = kept.places_of_kept(session, digests)
        readable = {place: identity.may("environment::read", *place) for place in {row[:2] for row in found}}
        return sorted({row[2] for row in found if readable[row[:2]]})

    def simple_index(self, identity: Identity, as_json: bool) -> Document:
        """Return the names of the kept PyPI packages."""
        names = sorted({file.name for file in self._readable(identity, PYPI)})
        if as_json:
            return _json({"meta": {"api-version": "1.0"}, "projects": [{"name": name} for name in names]})
        return _html("Kept packages", [f'<a href="{escape(name)}/">{escape(name)}</a>' for name in names])

    def simple_project(self, identity: Identity, project: str, as_json: bool) -> Document:
        """Return the kept files of a PyPI package.

        Raises
        ------
        NotFoundError
            There are none that the caller may read.
        """
        name = canonicalize_name(project)
        files = {file.digest: file for file in self._readable(identity, PYPI, name=name)}
        if not files:
            msg = f"no package {project[:100]} is kept here that you may read"
            raise NotFoundError(msg)
        links = [(f"../../files/{digest}/{file.filename}", file) for digest, file in sorted(files.items())]
        if as_json:
            listed = [
                {"filename": file.filename, "url": url, "hashes": {"sha256": file.digest}, "size": file.size}
                for url, file in links
            ]
            return _json({"meta": {"api-version": "1.0"}, "name": name, "files": listed})
        lines = [f'<a href="{escape(url)}#sha256={file.digest}">{escape(file.filename)}</a>' for url, file in links]
        return _html(name, lines)

    def rewritten_list(self, build_id: int, kind: str, address: str, variant: str = "") -> Document:
        """Return a lockfile or explicit list of a build whose kept packages have their address in the channel.

        Packages that are not kept have the address of the lock. An address has the digest of its file, so it is right
        whatever else other builds keep under the same name, which nobody is told of.

        Raises
        ------
        ConflictError
            The build is not kept with its packages.
        NotFoundError
            The list was never made.
        """
        found = self._artifacts.find(build_id, kind, variant)
        if found["state"] != READY or kind not in LISTED:
            msg = f"the {kind} of build {build_id} is {found['state']}; ask for it without a channel first"
            raise ConflictError(msg)
        with self._database.read() as session:
            row = rows.find_build(session, build_id)
            files = [file for file in kept.kept_of(session, build_id) if file.digest]
        if not files:
            msg = f"build {row} is not kept with its packages; PUT build/{build_id}/keep/ keeps them"
            raise ConflictError(msg)
        text = self._blobs.read(found["sha256"] or "").decode()
        addresses = {}
        for file in files:
            folder = f"sha256/{file.digest}/{file.subdir}" if file.manager == CONDA else f"files/{file.digest}"
            addresses[str(file.record["url"])] = f"{address}/{folder}/{file.filename}"
        longest_first = sorted(addresses, key=len, reverse=True)  # one address may begin with another
        text = re.sub("|".join(map(re.escape, longest_first)), lambda url: addresses[url[0]], text)
        return Document(text.encode(), "text/plain; charset=utf-8")

    def _readable(
        self,
        identity: Identity,
        manager: str,
        subdir: str = "",
        filename: str | None = None,
        name: str | None = None,
    ) -> Iterator[ServedFile]:
        with self._database.read() as session:
            found = kept.served_files(session, manager, subdir, filename, name)
        allowed: dict[tuple[str, str], bool] = {}
        for file in found:
            place = (file.namespace, file.environment)
            if place not in allowed:
                allowed[place] = identity.may("environment::read", *place)
            if allowed[place]:
                yield file

    def _first(self, found: Iterator[ServedFile], what: str) -> tuple[BlobFile, ServedFile]:
        file = next(found, None)
        if file is not None:
            with contextlib.suppress(FileNotFoundError):
                return self._blobs.file(file.digest), file
        msg = f"no {what[:200]} is kept here that you may read"
        raise NotFoundError(msg)


def check_subdir(subdir: str) -> None:
    """Refuse what is no folder of a conda channel.

    Raises
    ------
    NotFoundError
        It is none.
    """
    if subdir != NOARCH and subdir not in PLATFORMS:
        msg = f"a channel has no folder {subdir[:60]!r}; it has {NOARCH}, {', '.join(PLATFORMS)}"
        raise NotFoundError(msg)


def _index(subdir: str, files: Iterable[ServedFile]) -> bytes:
    index: dict[str, Any] = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}}
    for file in files:
        part = index["packages.conda" if file.filename.endswith(".conda") else "packages"]
        if file.filename not in part:
            part[file.filename] = _entry(file)
    return json.dumps({**index, "repodata_version": 1}, sort_keys=True, separators=(",", ":")).encode()


def _packed(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdCompressor(level=6).compress(data)


def _entry(file: ServedFile) -> dict[str, Any]:
    """Return a package as an index has it; hash and size are those of the kept file."""
    own = {key: value for key, value in file.record.items() if key not in LOCAL and value is not None}
    return {**own, "subdir": file.subdir, "sha256": file.digest, "size": file.size}


def _json(value: Any) -> Document:
    return Document(json.dumps(value).encode(), SIMPLE_JSON)


def _html(title: str, lines: list[str]) -> Document:
    body = "<br>\n".join(lines)
    head = f'<meta name="pypi:repository-version" content="1.0"><title>{escape(title)}</title>'
    return Document(f"<!DOCTYPE html><html><head>{head}</head><body>\n{body}\n</body></html>\n".encode(), SIMPLE_HTML)
