"""The JSON of conda-store's REST API (version 1), with what is added to it: what :mod:`.conda_store` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from jupyter_envstore.database.values import FoundVersion
    from jupyter_envstore.database.warnings import WarningView
    from jupyter_envstore.representation.builds import KeptView
    from jupyter_envstore.spec.lock_entries import CondaLockfile


class RoleMappingJson(TypedDict):
    """A role that somebody has in a namespace."""

    id: int
    entity: str
    role: str


class NamespaceJson(TypedDict):
    """A namespace; ``metadata_`` has the keys that people chose."""

    id: int
    name: str
    metadata_: dict[str, Any]
    role_mappings: list[RoleMappingJson]


class SharedNamespaceJson(NamespaceJson):
    """The namespace of an environment, with how many ``members`` it has."""

    members: int


class ArtifactJson(TypedDict):
    """A ready artifact of a build; ``artifact_type`` is conda-store's name of it."""

    id: int
    artifact_type: str
    key: str


class PipLines(TypedDict):
    """The lines of a specification that are for pip."""

    pip: list[str]


class EnvironmentFileJson(TypedDict):
    """What an ``environment.yml`` says."""

    channels: list[str]
    dependencies: list[str | PipLines]
    description: str
    name: str
    prefix: None
    variables: dict[str, str]


class LockfileJson(TypedDict):
    """A lockfile, with what is known of it beside."""

    name: str
    description: str
    lockfile: CondaLockfile | None


class SpecificationJson(TypedDict):
    """A specification; ``text`` is what was typed."""

    id: int
    name: str
    spec: EnvironmentFileJson | LockfileJson
    sha256: str
    created_on: str | None
    is_lockfile: bool
    text: str


class SameBuildJson(TypedDict):
    """What a build has here as :class:`~jupyter_envstore.representation.builds.BuildView` has it."""

    id: int
    status: str
    size: int
    scheduled_on: str
    started_on: str | None
    ended_on: str | None
    number: int
    active: bool
    packed_away: bool
    kept_packages: KeptView
    own_size: int
    warning_count: int
    trigger: str
    created_by: str


class BuildJson(SameBuildJson):
    """A build: sizes in bytes, moments in ISO 8601 (UTC, without a zone)."""

    environment_id: int
    specification: SpecificationJson | None
    packages: None
    status_info: str | None
    build_artifacts: list[ArtifactJson]
    build_key: str
    pinned: bool
    platform: str | None
    package_count: int


class FullBuildJson(BuildJson):
    """A build by itself: with its place, its warnings, and the choices for it alone."""

    namespace: str
    environment: str
    warnings: list[WarningView]
    exclude_newer: str | None
    virtual_packages: list[str]
    all_platforms: bool


class EnvironmentOptional(TypedDict, total=False):
    """The keys of :class:`EnvironmentJson` that may be missing."""

    packages_found: list[FoundVersion]


class EnvironmentJson(EnvironmentOptional):
    """An environment with its build, as listings show it; ``packages_found`` is there where packages are a filter."""

    id: int
    namespace: SharedNamespaceJson
    name: str
    current_build_id: int | None
    current_build: BuildJson | None
    description: str
    active: bool
    newest_build_id: int | None
    newest_build_status: str | None
    newest_build: BuildJson | None
    created_on: str | None
    created_by: str
    permissions: list[str]
    path: str | None


class ChannelJson(TypedDict):
    """The channel of a package; none has an id."""

    id: int
    name: str


class PackageJson(TypedDict):
    """A package of a build; ``size`` in bytes."""

    id: int
    channel: ChannelJson
    license: str | None
    name: str
    version: str
    summary: None
    build: str
    manager: str
    size: int


class FoundPackageJson(TypedDict):
    """A package of a channel; ``size`` in bytes."""

    id: int
    channel_id: str
    channel: ChannelJson
    name: str
    version: str
    build: str
    build_number: int
    sha256: str
    md5: str
    subdir: str
    size: int
    license: str | None
    depends: list[str]
    constrains: list[str]
    summary: None
    manager: str


class RemovalJson(TypedDict):
    """A thing that can be freed; ``size`` in bytes."""

    kind: str
    name: str
    reason: str
    size: int


class PlanJson(TypedDict):
    """What can be freed: bytes and things in all, and the largest of these."""

    size: int
    count: int
    removals: list[RemovalJson]


class TokenJson(TypedDict):
    """What is known of a token; ``prefix`` is how its text begins."""

    id: int
    kind: str
    name: str
    prefix: str
    username: str
    primary_namespace: str
    role_bindings: dict[str, list[str]] | None
    created_on: str | None
    expiration: str | None
    last_used_on: str | None
