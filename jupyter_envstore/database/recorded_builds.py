"""Builds found by their record, and the packages of all active builds."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import String, literal, select
from sqlalchemy.orm import Session

from jupyter_envstore.database.builds import BuildRow
from jupyter_envstore.database.models import (
    BlobReference,
    Build,
    BuildPackage,
    Environment,
    Namespace,
    Package,
    Specification,
)
from jupyter_envstore.database.states import CANCELED, COMPLETED, FAILED

NOTEBOOK = "notebook"
"""The trigger of builds that are made for a notebook."""
_COMPLETED = (
    select(Build, Environment, Namespace)
    .join(Environment, Environment.id == Build.environment_id)
    .join(Namespace, Namespace.id == Environment.namespace_id)
    .where(Build.status == COMPLETED, Build.deleted_on.is_(None), Environment.deleted_on.is_(None))
)


class ActivePackage(NamedTuple):
    """A package of the active build of an environment."""

    namespace: str
    environment: str
    manager: str
    name: str
    version: str
    build: str


def builds_of_record(session: Session, digest: str) -> list[BuildRow]:
    """Return the completed builds that have a record, newest first."""
    query = _COMPLETED.where(Build.record_digest == digest).order_by(Build.id.desc())
    return [BuildRow(*row) for row in session.execute(query)]


def active_build(session: Session, namespace: str, name: str) -> BuildRow | None:
    """Return the active build of an environment; None where there is no such environment, or it has none."""
    query = _COMPLETED.where(
        Build.id == Environment.current_build_id,
        Namespace.name_key == namespace.lower(),
        Environment.name_key == name.lower(),
    )
    row = session.execute(query).first()
    return BuildRow(*row) if row else None


def active_builds_of(session: Session, sha256: str) -> list[BuildRow]:
    """Return the active builds that were made from a specification, by its hash, newest first."""
    query = _COMPLETED.join(Specification, Specification.id == Build.specification_id)
    query = query.where(Build.id == Environment.current_build_id, Specification.sha256 == sha256)
    return [BuildRow(*row) for row in session.execute(query.order_by(Build.id.desc()))]


def was_tried_only(session: Session, environment_id: int) -> bool:
    """Whether an environment was made for a notebook, and no build of it has worked or may still work."""
    rows = session.execute(select(Build.status, Build.trigger).where(Build.environment_id == environment_id)).all()
    return bool(rows) and all(status in (FAILED, CANCELED) and trigger == NOTEBOOK for status, trigger in rows)


def active_packages(session: Session, names: Collection[str]) -> list[ActivePackage]:
    """Return the packages with these names of the active builds of all environments."""
    query = (
        select(Namespace.name, Environment.name, Package.manager, Package.name, Package.version, Package.build)
        .join(Environment, Environment.namespace_id == Namespace.id)
        .join(Build, Build.id == Environment.current_build_id)
        .join(BuildPackage, BuildPackage.build_id == Build.id)
        .join(Package, Package.id == BuildPackage.package_id)
        .where(Environment.deleted_on.is_(None), Package.name.in_(names))
    )
    return [ActivePackage(*row) for row in session.execute(query)]


def environment_has_part(session: Session, environment_id: int, digest: str, only: int | None = None) -> bool:
    """Whether a file is the record of a completed build of an environment, or a wheel that was built for one.

    With ``only``, none but this build is looked at.
    """
    own = select(Build.id).where(
        Build.environment_id == environment_id, Build.status == COMPLETED, Build.deleted_on.is_(None)
    )
    own = own if only is None else own.where(Build.id == only)
    if session.scalars(own.where(Build.record_digest == digest).limit(1)).first() is not None:
        return True
    wheel = literal("build:", String) + Build.id.cast(String) + f":wheel:{digest}"
    return session.scalars(own.join(BlobReference, BlobReference.owner == wheel).limit(1)).first() is not None
