"""The tables: namespaces, environments, specifications, builds and what they yield."""

# Annotations are read when a class is made; as strings, SQLAlchemy would compile each one: a third of the import.
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    bindparam,
    select,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, configure_mappers, mapped_column

from jupyter_envstore.database.column_types import short
from jupyter_envstore.database.states import JOB_QUEUED
from jupyter_envstore.database.values import OptionValues
from jupyter_envstore.spec.lock_entries import CondaEntry, PypiEntry
from jupyter_envstore.spec.specification import SpecificationValues


class Base(DeclarativeBase):
    """Base of all tables; constraints have names, so that migrations can change them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {dict[str, Any]: JSON, datetime: DateTime(timezone=False)}


_NOT_DELETED: dict[str, Any] = {f"{kind}_where": text("deleted_on IS NULL") for kind in ("sqlite", "postgresql")}


class Namespace(Base):
    """A place for environments. ``name_key`` is the name in lower case; a deleted one gives its key up."""

    __tablename__ = "namespace"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(short(64))
    name_key: Mapped[str] = mapped_column(short(96), unique=True)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSON, default=dict)
    created_on: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(short(255), default="")
    deleted_on: Mapped[datetime | None]


class Environment(Base):
    """An environment: a name, and the build that is active.

    A deleted one gives its name up at once, and keeps all else, so that it can be brought back, until it is cleared.
    """

    __tablename__ = "environment"
    __table_args__ = (
        UniqueConstraint("namespace_id", "name_key"),
        Index("ix_environment_listed", "namespace_id", "name_key", "id", **_NOT_DELETED),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespace.id"))
    name: Mapped[str] = mapped_column(short(64))
    name_key: Mapped[str] = mapped_column(short(96))
    description: Mapped[str] = mapped_column(Text, default="")
    current_build_id: Mapped[int | None] = mapped_column(
        ForeignKey("build.id", use_alter=True, name="fk_environment_current_build_id_build")
    )
    created_on: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(short(255), default="")
    deleted_on: Mapped[datetime | None]
    cleared_on: Mapped[datetime | None]


class Specification(Base):
    """What someone typed, and its meaning as JSON."""

    __tablename__ = "specification"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(short(64))
    sha256: Mapped[str] = mapped_column(short(64), unique=True)
    spec: Mapped[SpecificationValues] = mapped_column(JSON)
    text: Mapped[str] = mapped_column(Text)
    is_lockfile: Mapped[bool]
    created_on: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(short(255), default="")


class StoreIdentity(Base):
    """The store, in one row: its name, which stands in its folders, too, and the address of the bucket with its files.

    The address is empty if the files are in the store's folder, and null until a process has said so.
    """

    __tablename__ = "store"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(short(64))
    blob_url: Mapped[str | None] = mapped_column(Text)


class Place(Base):
    """A folder with prefixes: ``root_dir`` of one or several servers. ``mark`` stands in a file there.

    ``host`` is a machine that has it, by its name; others may have the same folder over the network. ``platform`` is
    that of its prefixes. Numbers are not used again: a process may not know yet that its place was forgotten.
    """

    __tablename__ = "place"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    mark: Mapped[str] = mapped_column(short(64), unique=True)
    root_dir: Mapped[str] = mapped_column(Text)
    host: Mapped[str] = mapped_column(short(255))
    platform: Mapped[str] = mapped_column(short(32))
    seen_on: Mapped[datetime]


class Placement(Base):
    """That a place has the prefix of a build, ready to be used."""

    __tablename__ = "placement"
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("place.id"), primary_key=True, index=True)
    since: Mapped[datetime]


PLACE_PARAMETER = "envstore_place"
"""The parameter of queries that says which place *here* is; sessions of a store give it."""


class Build(Base):
    """One making of a specification. ``number`` counts within the environment.

    ``is_made`` says that its prefix was made once, somewhere: what its scripts wrote is known. ``is_here`` says that
    the place which the session belongs to has its prefix now.

    ``keep_packages`` is what somebody decided by hand about the files of its packages, None where the setting decides.

    ``text`` is what was typed for this build, where the specification was first typed differently: with other comments,
    or in another order.
    """

    __tablename__ = "build"
    __table_args__ = (
        UniqueConstraint("environment_id", "number"),
        Index("ix_build_status", "status", "id"),
        Index("ix_build_deleted_on", "deleted_on", "id"),
        Index("ix_build_record_digest", "record_digest"),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    environment_id: Mapped[int] = mapped_column(ForeignKey("environment.id"), index=True)
    specification_id: Mapped[int] = mapped_column(ForeignKey("specification.id"), index=True)
    number: Mapped[int]
    key: Mapped[str] = mapped_column(short(128), unique=True)
    directory: Mapped[str] = mapped_column(short(64))
    platform: Mapped[str] = mapped_column(short(32), default="")
    status: Mapped[str] = mapped_column(short(16))
    status_info: Mapped[str] = mapped_column(Text, default="")
    options: Mapped[OptionValues] = mapped_column(JSON, default=dict)
    record_digest: Mapped[str | None] = mapped_column(short(64))
    log_digest: Mapped[str | None] = mapped_column(short(64))
    is_made: Mapped[bool] = mapped_column(default=False)
    package_count: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    own_size: Mapped[int] = mapped_column(BigInteger, default=0)
    pinned: Mapped[bool] = mapped_column(default=False)
    warning_count: Mapped[int] = mapped_column(default=0)
    keep_packages: Mapped[bool | None]
    keep_state: Mapped[str] = mapped_column(short(16), default="")
    kept_size: Mapped[int] = mapped_column(BigInteger, default=0)
    kept_missing: Mapped[int] = mapped_column(default=0)
    trigger: Mapped[str] = mapped_column(short(64), default="")
    scheduled_on: Mapped[datetime]
    started_on: Mapped[datetime | None]
    ended_on: Mapped[datetime | None]
    deleted_on: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(short(255), default="")
    text: Mapped[str | None] = mapped_column(Text, deferred=True)
    is_here: Mapped[bool] = column_property(
        select(Placement.place_id)
        .where(Placement.build_id == id, Placement.place_id == bindparam(PLACE_PARAMETER, 0, Integer))
        .correlate_except(Placement)
        .scalar_subquery()
        .is_not(None)  # not EXISTS: PostgreSQL would read all placements for a page of builds
    )


HERE = Build.id.in_(select(Placement.build_id).where(Placement.place_id == bindparam(PLACE_PARAMETER, 0, Integer)))
"""Whether a prefix is here, as a condition on many builds: ``is_here`` is looked up for each."""


class Package(Base):
    """A package as it stands in locks, once for the whole store."""

    __tablename__ = "package"
    __table_args__ = (UniqueConstraint("manager", "name", "version", "build", "channel"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    manager: Mapped[str] = mapped_column(short(8))
    name: Mapped[str] = mapped_column(short(255))
    version: Mapped[str] = mapped_column(short(128))
    build: Mapped[str] = mapped_column(short(255), default="")
    channel: Mapped[str] = mapped_column(short(512), default="")
    subdir: Mapped[str] = mapped_column(short(32), default="")
    license: Mapped[str] = mapped_column(short(512), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)


class BuildPackage(Base):
    """Which packages a build has on its own platform."""

    __tablename__ = "build_package"
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), primary_key=True)
    package_id: Mapped[int] = mapped_column(ForeignKey("package.id"), primary_key=True, index=True)


class Job(Base):
    """Work for a worker process, claimed with a lease: an attempt number and a heartbeat that every write checks.

    ``place_id`` is the place where the prefix is wanted, 0 where none is; ``runner_id`` the one whose scheduler
    claimed it.
    """

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_queue", "state", "place_id", "namespace_id", "kind", "id"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(short(16))
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespace.id"))
    place_id: Mapped[int] = mapped_column(default=0)
    runner_id: Mapped[int] = mapped_column(default=0)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), index=True)
    artifact_id: Mapped[int | None] = mapped_column(ForeignKey("artifact.id"), index=True)
    state: Mapped[str] = mapped_column(short(16), default=JOB_QUEUED)
    attempt: Mapped[int] = mapped_column(default=0)
    given_back: Mapped[int] = mapped_column(default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    host: Mapped[str] = mapped_column(short(255), default="")
    pid: Mapped[int] = mapped_column(default=0)
    process_started: Mapped[str] = mapped_column(short(64), default="")
    executor: Mapped[str] = mapped_column(short(64), default="")
    handle: Mapped[str] = mapped_column(short(255), default="")
    created_on: Mapped[datetime]
    claimed_on: Mapped[datetime | None]
    heartbeat_on: Mapped[datetime | None]
    ended_on: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(Text, default="")


class Step(Base):
    """One step of a build's attempt, with its progress."""

    __tablename__ = "step"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), index=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("job.id"), index=True)
    attempt: Mapped[int]
    name: Mapped[str] = mapped_column(short(32))
    state: Mapped[str] = mapped_column(short(16))
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int] = mapped_column(BigInteger, default=0)
    unit: Mapped[str] = mapped_column(short(16), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    started_on: Mapped[datetime]
    ended_on: Mapped[datetime | None]


class LogChunk(Base):
    """Lines of a build's log while it runs; one compressed blob afterwards."""

    __tablename__ = "log_chunk"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), index=True)
    step: Mapped[str] = mapped_column(short(32), default="")
    text: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime]


class BuildWarning(Base):
    """What people should know of a build that can be used all the same. ``kind``: one of ``store.warnings``."""

    __tablename__ = "build_warning"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), index=True)
    kind: Mapped[str] = mapped_column(short(32))
    package: Mapped[str] = mapped_column(short(255), default="")
    path: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text)
    created_on: Mapped[datetime]


class KeptPackage(Base):
    """A package of a build that is kept with its packages. Without ``digest`` it could not be had: ``reason``.

    ``subdir`` is empty for PyPI packages; ``record`` is the package as the lock has it.
    """

    __tablename__ = "kept_package"
    __table_args__ = (
        UniqueConstraint("build_id", "manager", "subdir", "filename"),
        Index("ix_kept_package_filename", "filename", "subdir"),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"))
    manager: Mapped[str] = mapped_column(short(8))
    subdir: Mapped[str] = mapped_column(short(32), default="")
    name: Mapped[str] = mapped_column(short(255))
    filename: Mapped[str] = mapped_column(short(512))
    digest: Mapped[str | None] = mapped_column(short(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    reason: Mapped[str] = mapped_column(Text, default="")
    record: Mapped[CondaEntry | PypiEntry] = mapped_column(JSON)


class Artifact(Base):
    """One thing made of a build. ``variant`` tells several of a type apart: platform, format."""

    __tablename__ = "artifact"
    __table_args__ = (UniqueConstraint("build_id", "type", "variant"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    build_id: Mapped[int] = mapped_column(ForeignKey("build.id"), index=True)
    type: Mapped[str] = mapped_column(short(32), index=True)
    variant: Mapped[str] = mapped_column(short(64), default="")
    state: Mapped[str] = mapped_column(short(16))
    digest: Mapped[str | None] = mapped_column(short(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    duration: Mapped[float | None] = mapped_column(Float)
    reason: Mapped[str] = mapped_column(Text, default="")
    tools: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    created_on: Mapped[datetime]
    made_on: Mapped[datetime | None]


class StoredLayer(Base):
    """A layer of an image by what it is made of, so that it is made once. ``key`` and digests are SHA-256."""

    __tablename__ = "layer"
    key: Mapped[str] = mapped_column(short(64), primary_key=True)
    digest: Mapped[str] = mapped_column(short(64), index=True)
    diff_id: Mapped[str] = mapped_column(short(64))
    size: Mapped[int] = mapped_column(BigInteger)
    created_on: Mapped[datetime]


class Blob(Base):
    """A file in the store, addressed by its SHA-256."""

    __tablename__ = "blob"
    digest: Mapped[str] = mapped_column(short(64), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_on: Mapped[datetime]


class RemovedBlob(Base):
    """A blob that is removed, or was: nobody may refer to it before that is over and it is there again.

    Rows and bytes lie in different places, so no transaction holds both. The row stands before the bytes go, and stays
    for a while.
    """

    __tablename__ = "removed_blob"
    digest: Mapped[str] = mapped_column(short(64), primary_key=True)
    is_gone: Mapped[bool] = mapped_column(default=False)
    changed_on: Mapped[datetime]


class BlobReference(Base):
    """Who needs a blob: ``build:12:record``, ``artifact:7``. Without one, it can be collected."""

    __tablename__ = "blob_reference"
    digest: Mapped[str] = mapped_column(ForeignKey("blob.digest"), primary_key=True)
    owner: Mapped[str] = mapped_column(short(128), primary_key=True, index=True)


class Setting(Base):
    """A setting of a scope: everywhere (both null), a namespace, or an environment."""

    __tablename__ = "setting"
    __table_args__ = (UniqueConstraint("scope", "key"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    scope: Mapped[str] = mapped_column(short(64))
    key: Mapped[str] = mapped_column(short(64))
    value: Mapped[Any] = mapped_column(JSON)
    changed_on: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(short(255), default="")


class Token(Base):
    """A token, as its hash; ``prefix`` is what people recognise it by.

    ``kind``: made by a user, for a kernel, or for a share link, which opens the environment ``environment_id``.
    ``made_with`` is the token that its maker came with: it ends when that is revoked. ``configured_hash`` is that of a
    token of the configuration: it ends when that is not in the configuration any more.
    """

    __tablename__ = "token"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(short(16), default="user")
    name: Mapped[str] = mapped_column(short(255), default="")
    hash: Mapped[str] = mapped_column(short(128), unique=True)
    prefix: Mapped[str] = mapped_column(short(16), default="")
    username: Mapped[str] = mapped_column(short(255), index=True)
    primary_namespace: Mapped[str] = mapped_column(short(64))
    role_bindings: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    groups: Mapped[list[str]] = mapped_column(JSON, default=list)
    environment_id: Mapped[int | None] = mapped_column(ForeignKey("environment.id"), index=True)
    made_with: Mapped[int | None] = mapped_column(ForeignKey("token.id", ondelete="SET NULL"), index=True)
    configured_hash: Mapped[str | None] = mapped_column(short(64))
    created_on: Mapped[datetime]
    expires_on: Mapped[datetime | None]
    last_used_on: Mapped[datetime | None]
    revoked_on: Mapped[datetime | None]


ENTITY_KIND, NAMESPACE_KIND = "entity", "other"
"""A mapping gives the user of its namespace a role on an entity, or the user of another namespace one on its own."""


class RoleMapping(Base):
    """In ``namespace``, the entity ``ns/name`` (``*`` allowed in either part) has ``role``."""

    __tablename__ = "role_mapping"
    __table_args__ = (UniqueConstraint("namespace_id", "entity", "role", "kind"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespace.id"), index=True)
    kind: Mapped[str] = mapped_column(short(8), default=ENTITY_KIND)
    entity: Mapped[str] = mapped_column(short(160))
    role: Mapped[str] = mapped_column(short(32))
    created_on: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(short(255), default="")


class AuditEntry(Base):
    """Who did what. Append-only."""

    __tablename__ = "audit_entry"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    who: Mapped[str] = mapped_column(short(255))
    verb: Mapped[str] = mapped_column(short(64))
    subject: Mapped[str] = mapped_column(short(255), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Change(Base):
    """The store's revisions: what changed, for those who follow it. Old rows are collected."""

    __tablename__ = "change"
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(short(16))
    subject_id: Mapped[int]
    at: Mapped[datetime]


def prepare() -> None:
    """Do at once what the first query would do: bring the models' relations and columns together."""
    configure_mappers()
