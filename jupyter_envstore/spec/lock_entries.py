"""The entries of build records and of conda-lock files, with the keys that their JSON has.

A key that may be missing is in a class with ``total=False``. Sizes are in bytes, hashes are hexadecimal.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Manager = Literal["conda", "pip"]
HashKind = Literal["sha256", "md5"]
HASH_KINDS: tuple[HashKind, ...] = ("sha256", "md5")


class Hashes(TypedDict, total=False):
    """Hashes of a file; a record may lack one or the other."""

    sha256: str
    md5: str


class IndexFields(TypedDict, total=False):
    """What a conda package says of itself in ``info/index.json`` and a conda-lock file does not tell.

    These keys are copied into the record of a build of such a file. ``timestamp`` is in milliseconds since 1970.
    """

    build_number: int
    constrains: list[str]
    depends: list[str]
    license: str | None
    noarch: Literal["python", "generic"] | None
    python_site_packages_path: str | None
    timestamp: int


class CondaOptional(IndexFields, Hashes, total=False):
    """The keys of a :class:`CondaEntry` that may be missing."""

    size: int | None


class CondaEntry(CondaOptional):
    """A conda package of a build record: its record in ``repodata.json``, with ``fn``, ``url`` and ``channel``.

    Addresses carry no credentials. Records of a channel have more fields, which are kept and not read here: ``arch``,
    ``platform``, ``license_family``, ``track_features``, ``purls`` and others (``rattler_conda_types.PackageRecord``).
    """

    name: str
    version: str
    build: str
    subdir: str
    fn: str
    url: str
    channel: str


class BuiltWheel(TypedDict):
    """A wheel that was built here from a source archive; the store has it by its ``sha256``."""

    filename: str
    sha256: str
    size: int


class PypiFile(TypedDict):
    """The file of a PyPI package, and of which version it is."""

    name: str
    version: str
    filename: str


class PypiOptional(TypedDict, total=False):
    """The keys of a :class:`PypiEntry` that may be missing."""

    wheel: BuiltWheel


class PypiEntry(PypiOptional, PypiFile):
    """A PyPI package of a build record.

    ``url`` is that of a wheel, of a source archive, or of a repository (``git+…@commit``), whose ``sha256`` is the
    commit. ``index`` is the address of the index, empty where none is known. ``size`` is 0 where it is not known.
    ``wheel`` is what was built from a source.
    """

    url: str
    sha256: str
    size: int
    index: str
    dependencies: list[str]


class LockfileOptional(TypedDict, total=False):
    """The keys of a :class:`LockfileEntry` that may be missing."""

    dependencies: dict[str, str] | None
    category: str
    categories: list[str]
    optional: bool
    source: Any
    build: str | None


class LockfileEntry(LockfileOptional):
    """A package of a conda-lock file of version 1 (``conda_lock.lockfile.v1.models.LockedDependency``)."""

    name: str
    version: str
    manager: Manager
    platform: str
    url: str
    hash: Hashes


class CondaLockfile(TypedDict):
    """A conda-lock file of version 1, once it was checked.

    ``metadata`` is what its author's tool wrote. Of that, only ``channels``, ``platforms`` and ``custom_metadata`` are
    read, and each reader looks at their types.
    """

    version: int | str
    metadata: dict[str, Any]
    package: list[LockfileEntry]
