"""Builds that are kept with the files of their packages: which files, whose, and how much they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.database.blob_references import Confirmed, refer_too, release
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.jobs import KEEP, enqueue, unfinished_jobs
from jupyter_envstore.database.models import BlobReference, Build, Change, Environment, KeptPackage, Namespace
from jupyter_envstore.database.states import COMPLETED, KEEPING, KEPT, NOT_KEPT, PARTLY_KEPT
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry

CONDA, PYPI = "conda", "pypi"
OWNERS = "build:%:packages"
"""What the owners of kept packages look like, as a pattern of SQL."""
ASKED_AT_ONCE = 500
"""Files that one query asks for."""


@dataclass(frozen=True)
class PackageFile:
    """The file of a package in a lock.

    Parameters
    ----------
    manager : str
        ``conda`` or ``pypi``.
    name, filename, url : str
        Its package, its own name, and where the lock has it from.
    hash_kind, hash : str
        ``sha256`` or ``md5``, and the value that is locked.
    size : int
        Bytes, 0 where the lock does not tell.
    subdir : str
        Folder in a conda channel.
    built_here : bool
        Whether it was made in this store and lies in it already.
    record : dict
        The package as the lock has it.
    """

    manager: str
    name: str
    filename: str
    url: str
    hash_kind: str
    hash: str
    size: int = 0
    subdir: str = ""
    built_here: bool = False
    record: CondaEntry | PypiEntry | None = None


def kept_owner(build_id: int) -> str:
    """Return how a build is called as the owner of the files of its packages."""
    return f"build:{build_id}:packages"


def request_keeping(session: Session, build: Build) -> bool:
    """Have the files of a completed build's packages stored; False where that is under way already."""
    if any(job.kind == KEEP for job in unfinished_jobs(session, build.id)):
        return False
    build.keep_state = KEEPING
    enqueue(session, KEEP, build.id)
    session.add(Change(kind="build", subject_id=build.id, at=now()))
    return True


def note_file(
    session: Session, confirmed: Confirmed, build_id: int, file: PackageFile, blob: StoredBlob | None, reason: str = ""
) -> None:
    """Note that a build keeps a file, or the ``reason`` for which it cannot be had.

    Raises
    ------
    StorageError
        The file is not in the store: it was collected between its writing and this.
    """
    same = (
        KeptPackage.build_id == build_id,
        KeptPackage.manager == file.manager,
        KeptPackage.subdir == file.subdir,
        KeptPackage.filename == file.filename,
    )
    session.execute(delete(KeptPackage).where(*same))
    if blob is not None:
        refer_too(session, confirmed, blob, kept_owner(build_id))
    session.add(
        KeptPackage(
            build_id=build_id,
            manager=file.manager,
            subdir=file.subdir,
            name=file.name,
            filename=file.filename,
            digest=blob.digest if blob else None,
            size=blob.size if blob else file.size,
            reason=reason,
            record=dict(file.record or {}),
        )
    )


def settle_kept(session: Session, build: Build) -> None:
    """Make a build say what is kept of it."""
    rows = kept_of(session, build.id)
    build.kept_missing = sum(row.digest is None for row in rows)
    build.kept_size = sum({row.digest: row.size for row in rows if row.digest}.values())
    build.keep_state = PARTLY_KEPT if build.kept_missing else KEPT
    session.add(Change(kind="build", subject_id=build.id, at=now()))


def drop_kept(session: Session, build: Build) -> None:
    """Note that a build needs the files of its packages no more."""
    release(session, kept_owner(build.id))
    session.execute(delete(KeptPackage).where(KeptPackage.build_id == build.id))
    build.keep_state, build.kept_size, build.kept_missing = NOT_KEPT, 0, 0


def kept_of(session: Session, build_id: int) -> list[KeptPackage]:
    """Return the packages of a build that are kept, and those that could not be had."""
    query = select(KeptPackage).where(KeptPackage.build_id == build_id).order_by(KeptPackage.name, KeptPackage.id)
    return list(session.scalars(query))


def kept_digests(session: Session, subdir: str, filename: str) -> list[str]:
    """Return the SHA-256 of each conda package that any build keeps under a name: channels differ in what it is."""
    same = (KeptPackage.manager == CONDA, KeptPackage.subdir == subdir, KeptPackage.filename == filename)
    query = select(KeptPackage.digest).where(*same, KeptPackage.digest.is_not(None)).distinct()
    return [digest for digest in session.scalars(query) if digest]


def shared_bytes(session: Session, build_id: int) -> int:
    """Return the bytes of a build's kept files that other builds keep too."""
    mine = select(KeptPackage.digest).where(KeptPackage.build_id == build_id, KeptPackage.digest.is_not(None))
    others = (
        select(KeptPackage.digest, func.max(KeptPackage.size).label("size"))
        .where(KeptPackage.build_id != build_id, KeptPackage.digest.in_(mine))
        .group_by(KeptPackage.digest)
        .subquery()
    )
    return int(session.scalar(select(func.sum(others.c.size))) or 0)


def bytes_of_namespaces(session: Session, namespace_ids: Sequence[int]) -> dict[int, int]:
    """Return the bytes of the kept files of namespaces; each file counts once in each."""
    distinct = (
        select(Environment.namespace_id, KeptPackage.digest, KeptPackage.size)
        .join(Build, Build.id == KeptPackage.build_id)
        .join(Environment, Environment.id == Build.environment_id)
        .where(Environment.namespace_id.in_(namespace_ids), KeptPackage.digest.is_not(None), Build.deleted_on.is_(None))
        .distinct()
        .subquery()
    )
    query = select(distinct.c.namespace_id, func.sum(distinct.c.size)).group_by(distinct.c.namespace_id)
    return {row[0]: int(row[1] or 0) for row in session.execute(query)}


def keepable_builds(session: Session) -> Iterator[tuple[Namespace, Environment, Build]]:
    """Yield the completed builds of environments that are there."""
    query = (
        select(Namespace, Environment, Build)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .join(Build, Build.environment_id == Environment.id)
        .where(
            Environment.deleted_on.is_(None),
            Build.deleted_on.is_(None),
            Build.status == COMPLETED,
            Build.record_digest.is_not(None),
        )
    )
    for row in session.execute(query.order_by(Build.id)):
        yield row[0], row[1], row[2]


@dataclass(frozen=True)
class ServedFile:
    """A kept file that is offered: where it belongs, its package in the lock, its blob."""

    namespace: str
    environment: str
    build_id: int
    manager: str
    subdir: str
    name: str
    filename: str
    digest: str
    size: int
    record: CondaEntry | PypiEntry


def _offered(query: Select[Any]) -> Select[Any]:
    """Return a query of kept packages that looks at those whose files are there, of builds that are there."""
    return (
        query.join(Build, Build.id == KeptPackage.build_id)
        .join(Environment, Environment.id == Build.environment_id)
        .join(Namespace, Namespace.id == Environment.namespace_id)
        .where(
            KeptPackage.digest.is_not(None),
            Build.deleted_on.is_(None),
            Environment.deleted_on.is_(None),
            Namespace.deleted_on.is_(None),
        )
    )


def served_files(
    session: Session, manager: str, subdir: str = "", filename: str | None = None, name: str | None = None
) -> list[ServedFile]:
    """Return the kept files of builds that are there, newest build first; whoever asks filters by who may read."""
    columns = (Namespace.name, Environment.name, KeptPackage.build_id, KeptPackage.manager, KeptPackage.subdir)
    query = (
        select(*columns, KeptPackage.name, KeptPackage.filename, KeptPackage.digest, KeptPackage.size)
        .add_columns(KeptPackage.record)
        .where(KeptPackage.manager == manager, KeptPackage.subdir == subdir)
        .order_by(KeptPackage.build_id.desc(), KeptPackage.filename)
    )
    if filename is not None:
        query = query.where(KeptPackage.filename == filename)
    if name is not None:
        query = query.where(KeptPackage.name == name)
    return [ServedFile(*row) for row in session.execute(_offered(query))]


def places_of_kept(session: Session, digests: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return namespace, environment and SHA-256 of what builds that are there keep of some files."""
    query = _offered(select(Namespace.name, Environment.name).add_columns(KeptPackage.digest).distinct())
    found: list[tuple[str, str, str]] = []
    for first in range(0, len(digests), ASKED_AT_ONCE):
        asked = query.where(KeptPackage.digest.in_(digests[first : first + ASKED_AT_ONCE]))
        found += [(row[0], row[1], row[2] or "") for row in session.execute(asked)]
    return found


def served_states(session: Session, manager: str, subdir: str) -> list[tuple[str, str, int, str]]:
    """Return namespace, environment, id and all offered files of each build that offers some: equal while they stay."""
    query = (
        select(Namespace.name, Environment.name, KeptPackage.build_id)
        .add_columns(func.aggregate_strings(KeptPackage.filename + "/" + KeptPackage.digest, ","))
        .where(KeptPackage.manager == manager, KeptPackage.subdir == subdir)
        .group_by(Namespace.name, Environment.name, KeptPackage.build_id)
        .order_by(KeptPackage.build_id.desc())
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(_offered(query))]


def forget_lost(session: Session, blobs: BlobStore, reason: str) -> None:
    """Note which kept files are not there: in a store that was brought back from a backup without them."""
    gone: dict[int, list[str]] = {}
    for row in session.scalars(select(KeptPackage).where(KeptPackage.digest.is_not(None))):
        if not blobs.exists(row.digest or ""):
            gone.setdefault(row.build_id, []).append(row.digest or "")
            row.digest, row.reason = None, reason
    session.flush()
    for build_id, digests in gone.items():
        session.execute(
            delete(BlobReference).where(BlobReference.owner == kept_owner(build_id), BlobReference.digest.in_(digests))
        )
        build = session.get_one(Build, build_id)
        if build.keep_state != KEEPING:
            settle_kept(session, build)
