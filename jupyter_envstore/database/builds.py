"""Rows of namespaces, environments, specifications and builds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.orm import Session, aliased

from jupyter_envstore.database.blob_references import products_owner, release, release_artifact
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.kept_packages import drop_kept
from jupyter_envstore.database.models import (
    Artifact,
    Build,
    BuildPackage,
    Change,
    Environment,
    LogChunk,
    Namespace,
    Package,
    Specification,
    Step,
)
from jupyter_envstore.database.placements import note_gone
from jupyter_envstore.database.states import COMPLETED, DROPPED, QUEUED, READY, UNSETTLED
from jupyter_envstore.database.values import OptionValues, PackageValues
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.spec import Specification as Spec
from jupyter_envstore.spec import build_directory, build_key


@dataclass(frozen=True)
class BuildRow:
    """A build with the names of what it belongs to."""

    build: Build
    environment: Environment
    namespace: Namespace

    def __str__(self) -> str:
        return f"{self.namespace.name}/{self.environment.name}:{self.build.number}"


def changed(session: Session, kind: str, subject_id: int) -> None:
    """Note a change, for those who follow the store."""
    session.add(Change(kind=kind, subject_id=subject_id, at=now()))


def get_namespace(session: Session, name: str) -> Namespace | None:
    """Return the namespace, whatever the case of ``name``."""
    return session.scalars(select(Namespace).where(Namespace.name_key == name.lower())).first()


def ensure_namespace(session: Session, name: str, who: str) -> Namespace:
    """Return the namespace, made if it is new."""
    found = get_namespace(session, name)
    if found is None:
        found = Namespace(name=name, name_key=name.lower(), metadata_={}, created_on=now(), created_by=who)
        session.add(found)
        session.flush()
        changed(session, "namespace", found.id)
    return found


def count_environments(session: Session, namespace_id: int) -> int:
    """Return how many environments a namespace has."""
    query = select(func.count()).where(Environment.namespace_id == namespace_id, Environment.deleted_on.is_(None))
    return int(session.scalar(query) or 0)


def free_key(row: Namespace | Environment) -> str:
    """Return the key of what is deleted: ``#`` is in no name, so that the name is free for another."""
    return f"{row.name_key}#{row.id}"


def find_environment(session: Session, namespace: str, name: str) -> tuple[Namespace, Environment]:
    """Return an environment that is there.

    Raises
    ------
    NotFoundError
        It is not.
    """
    row = session.execute(
        select(Namespace, Environment)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .where(Namespace.name_key == namespace.lower(), Environment.name_key == name.lower())
    ).first()
    if row is None:
        msg = f"there is no environment {namespace}/{name}; jupyter envstore list shows all"
        raise NotFoundError(msg)
    return row[0], row[1]


def environment_place(session: Session, environment_id: int) -> tuple[Namespace, Environment] | None:
    """Return namespace and environment by the id of the environment; None where it was deleted."""
    environment = session.get(Environment, environment_id)
    if environment is None or environment.deleted_on is not None:
        return None
    return session.get_one(Namespace, environment.namespace_id), environment


def get_environment(session: Session, namespace_id: int, name: str) -> Environment | None:
    """Return the environment of this name, whatever its case, in a namespace."""
    query = select(Environment).where(Environment.namespace_id == namespace_id, Environment.name_key == name.lower())
    return session.scalars(query).first()


def ensure_environment(session: Session, namespace: Namespace, name: str, who: str) -> Environment:
    """Return the environment of this name, made if it is new."""
    found = get_environment(session, namespace.id, name)
    if found is None:
        found = Environment(
            namespace_id=namespace.id, name=name, name_key=name.lower(), created_on=now(), created_by=who
        )
        session.add(found)
        session.flush()
        changed(session, "environment", found.id)
    return found


def ensure_specification(session: Session, specification: Spec, name: str, who: str) -> Specification:
    """Return the row of this specification; what was typed first is kept as its text."""
    found = session.scalars(select(Specification).where(Specification.sha256 == specification.sha256)).first()
    if found is None:
        found = Specification(
            name=name,
            sha256=specification.sha256,
            spec=specification.to_json(),
            text=specification.text,
            is_lockfile=specification.lockfile is not None,
            created_on=now(),
            created_by=who,
        )
        session.add(found)
        session.flush()
    return found


def add_build(
    session: Session,
    environment: Environment,
    specification: Specification,
    who: str,
    trigger: str,
    options: OptionValues | None = None,
    text: str | None = None,
) -> Build:
    """Add a queued build of ``specification``."""
    newest = session.scalar(select(func.max(Build.number)).where(Build.environment_id == environment.id)) or 0
    build = Build(
        environment_id=environment.id,
        specification_id=specification.id,
        number=newest + 1,
        key=f"new-{environment.id}-{newest + 1}",
        directory="",
        status=QUEUED,
        options=options or {},
        trigger=trigger,
        scheduled_on=now(),
        created_by=who,
        text=text if text != specification.text else None,
    )
    session.add(build)
    session.flush()
    build.key = build_key(specification.sha256, build.scheduled_on, build.id, environment.name)
    build.directory = build_directory(specification.sha256, build.id)
    changed(session, "build", build.id)
    return build


def build_with_record(session: Session, environment: Environment, digest: str) -> Build | None:
    """Return the newest build of an environment with a record, that is ready or may yet be; None without one."""
    query = select(Build).where(
        Build.environment_id == environment.id,
        Build.record_digest == digest,
        Build.status.in_((COMPLETED, *UNSETTLED)),
        Build.deleted_on.is_(None),
    )
    return session.scalars(query.order_by(Build.id.desc())).first()


NO_BUILD = "there is no build {}"
_ONE_BUILD = (
    select(Build, Environment, Namespace)
    .join(Environment, Environment.id == Build.environment_id)
    .join(Namespace, Namespace.id == Environment.namespace_id)
    .where(Build.id == bindparam("id"))
)


def specification_of(session: Session, build: Build) -> Spec:
    """Return what a build was made of, with the text that was typed for it."""
    row = session.get_one(Specification, build.specification_id)
    return Spec.from_json(row.spec, build.text or row.text)


def find_build(session: Session, build_id: int, deleted: bool = False) -> BuildRow:
    """Return a build that was not deleted; with ``deleted``, one that was as well.

    Raises
    ------
    NotFoundError
        There is none with this id.
    """
    row = session.execute(_ONE_BUILD, {"id": build_id}).first()
    if row is None or (row[0].deleted_on is not None and not deleted):
        raise NotFoundError(NO_BUILD.format(build_id))
    return BuildRow(row[0], row[1], row[2])


_PLACE = (
    select(Namespace.name, Environment.name, Build.deleted_on)
    .join(Environment, Environment.namespace_id == Namespace.id)
    .join(Build, Build.environment_id == Environment.id)
    .where(Build.id == bindparam("id"))
)


def place_of(session: Session, build_id: int, deleted: bool = False) -> tuple[str, str]:
    """Return namespace and name of a build's environment; with ``deleted``, of a deleted build's too.

    Raises
    ------
    NotFoundError
        There is no such build.
    """
    row = session.execute(_PLACE, {"id": build_id}).first()
    if row is None or (row[2] is not None and not deleted):
        raise NotFoundError(NO_BUILD.format(build_id))
    return row[0], row[1]


def resolve_build(session: Session, environment: Environment, reference: str | None) -> Build:
    """Return the build that ``reference`` names: a number within the environment, a key; None for the active one.

    Without an active build, the newest one.

    Raises
    ------
    NotFoundError
        There is no such build.
    """
    query = select(Build).where(Build.environment_id == environment.id, Build.deleted_on.is_(None))
    if reference is None:
        if environment.current_build_id:
            return session.get_one(Build, environment.current_build_id)
        found = session.scalars(query.order_by(Build.number.desc()).limit(1)).first()
    elif reference.isascii() and reference.isdecimal():
        found = session.scalars(query.where(Build.number == min(int(reference), 2**31 - 1))).first()
    else:
        found = session.scalars(query.where(Build.key == reference)).first()
    if found is None:
        msg = f"{environment.name} has no build {reference or ''}".rstrip() + "; jupyter envstore show lists its builds"
        raise NotFoundError(msg)
    return found


def list_environments(
    session: Session, namespace: str | None = None
) -> list[tuple[Namespace, Environment, Build | None, str | None]]:
    """Return all environments with their active builds and the newest build's status, by name, in one query."""
    newest = (
        select(Build.environment_id, func.max(Build.id).label("id"))
        .where(Build.deleted_on.is_(None))
        .group_by(Build.environment_id)
        .subquery()
    )
    last = aliased(Build)
    query = (
        select(Namespace, Environment, Build, last.status)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .outerjoin(Build, Build.id == Environment.current_build_id)
        .outerjoin(newest, newest.c.environment_id == Environment.id)
        .outerjoin(last, last.id == newest.c.id)
        .where(Environment.deleted_on.is_(None))
        .order_by(Namespace.name_key, Environment.name_key)
    )
    if namespace is not None:
        query = query.where(Namespace.name_key == namespace.lower())
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]


def active_directory(session: Session, environment_id: int) -> tuple[str, str, str | None]:
    """Return the keys of namespace and environment, and the folder of the active build (None if it is not here)."""
    row = session.execute(
        select(Namespace.name_key, Environment.name_key, Build.directory)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .outerjoin(Build, (Build.id == Environment.current_build_id) & Build.is_here)
        .where(Environment.id == environment_id)
    ).one()
    return row[0], row[1], row[2]


def build_of(session: Session, environment: Environment, build_id: int) -> Build:
    """Return a build of an environment by its id.

    Raises
    ------
    NotFoundError
        The environment has none with this id.
    """
    build = session.get(Build, build_id)
    if build is None or build.environment_id != environment.id or build.deleted_on is not None:
        msg = f"environment {environment.name} has no build {build_id}"
        raise NotFoundError(msg)
    return build


def newest_specification(session: Session, environment: Environment) -> Specification | None:
    """Return what the newest build of an environment was made of; None where there is none yet."""
    query = select(Specification).join(Build, Build.specification_id == Specification.id)
    query = query.where(Build.environment_id == environment.id, Build.deleted_on.is_(None))
    return session.scalars(query.order_by(Build.number.desc()).limit(1)).first()


def list_builds(session: Session, environment_id: int) -> list[Build]:
    """Return the builds of an environment, newest first."""
    query = select(Build).where(Build.environment_id == environment_id, Build.deleted_on.is_(None))
    return list(session.scalars(query.order_by(Build.number.desc())))


def forget_build(session: Session, build: Build, kept: Sequence[str] = ()) -> None:
    """Note that a build is deleted, and that it needs none of its files any more but artifacts that are ``kept``."""
    build.deleted_on, build.is_made = build.deleted_on or now(), False
    note_gone(session, build.id, everywhere=True)  # other places remove what belongs to no build
    release(session, f"build:{build.id}:record")
    release(session, f"build:{build.id}:wheel:*")
    drop_kept(session, build)
    release(session, products_owner(build.id))
    if "logs" not in kept:
        release(session, f"build:{build.id}:log")
        build.log_digest = None
        session.execute(delete(LogChunk).where(LogChunk.build_id == build.id))  # or its worker stores them yet
    for artifact in list_artifacts(session, build.id):
        if artifact.type in kept and artifact.state == READY:
            continue
        artifact.state, artifact.digest = DROPPED, None
        release_artifact(session, artifact.id)
    changed(session, "build", build.id)


def list_artifacts(session: Session, build_id: int) -> list[Artifact]:
    """Return the artifacts of a build."""
    query = select(Artifact).where(Artifact.build_id == build_id).order_by(Artifact.type, Artifact.variant)
    return list(session.scalars(query))


def find_artifact(session: Session, build_id: int, kind: str, variant: str) -> Artifact | None:
    """Return one artifact of a build."""
    query = select(Artifact).where(Artifact.build_id == build_id, Artifact.type == kind, Artifact.variant == variant)
    return session.scalars(query).first()


def list_steps(session: Session, build_id: int) -> list[Step]:
    """Return the steps of a build, in order."""
    return list(session.scalars(select(Step).where(Step.build_id == build_id).order_by(Step.id)))


def set_packages(session: Session, build_id: int, packages: Iterable[PackageValues]) -> None:
    """Note which packages a build has."""
    session.execute(delete(BuildPackage).where(BuildPackage.build_id == build_id))
    wanted = {(p["manager"], p["name"], p["version"], p["build"], p["channel"]): p for p in packages}
    names = {key[1] for key in wanted}
    known: dict[tuple[str, ...], int] = {}
    for row in session.scalars(select(Package).where(Package.name.in_(names))):
        known[row.manager, row.name, row.version, row.build, row.channel] = row.id
    for key, values in wanted.items():
        if key not in known:
            package = Package(**values)
            session.add(package)
            session.flush()
            known[key] = package.id
        session.add(BuildPackage(build_id=build_id, package_id=known[key]))


def copy_packages(session: Session, source: int, target: int) -> None:
    """Note that a build has the same packages as another."""
    for package_id in session.scalars(select(BuildPackage.package_id).where(BuildPackage.build_id == source)):
        session.add(BuildPackage(build_id=target, package_id=package_id))


def list_packages(session: Session, build_id: int) -> list[Package]:
    """Return the packages of a build, by name."""
    query = select(Package).join(BuildPackage, BuildPackage.package_id == Package.id)
    return list(session.scalars(query.where(BuildPackage.build_id == build_id).order_by(Package.name, Package.manager)))


class PackageSource(NamedTuple):
    """A channel or an index that packages of a build come from, and who installs them (``conda`` or ``pip``)."""

    manager: str
    channel: str


def sources_of(session: Session, build_id: int) -> list[PackageSource]:
    """Return where the packages of a build come from, each place once."""
    query = select(Package.manager, Package.channel).join(BuildPackage, BuildPackage.package_id == Package.id)
    rows = session.execute(query.where(BuildPackage.build_id == build_id).distinct())
    return sorted(PackageSource(*row) for row in rows)


def forget_chunks(session: Session, build_id: int, last: int) -> bool:
    """Forget the log of a build up to chunk ``last``; whether there was any."""
    ours = LogChunk.build_id == build_id, LogChunk.id <= last
    there = session.scalars(select(LogChunk.id).where(*ours).limit(1)).first() is not None
    session.execute(delete(LogChunk).where(*ours))
    return there


def log_chunks(session: Session, build_id: int, after: int = 0) -> Sequence[LogChunk]:
    """Return the log of a build that still runs, from behind chunk ``after``."""
    query = select(LogChunk).where(LogChunk.build_id == build_id, LogChunk.id > after).order_by(LogChunk.id)
    return session.scalars(query).all()
