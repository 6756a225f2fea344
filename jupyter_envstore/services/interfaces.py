"""What a store of this machine offers, by the noun that it is about: all that handlers know of it.

What every store offers, one elsewhere too, is in :mod:`jupyter_envstore.services.common_interfaces`; this adds to it.
:class:`jupyter_envstore.services.store.EnvStore` is the implementation; what a method raises is told there, in the
module of the same name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from jupyter_envstore.services.common_interfaces import (
    AnyStore,
    CommonArtifacts,
    CommonBonds,
    CommonBuildRecords,
    CommonBuilds,
    CommonChannels,
    CommonEnvironments,
    CommonImages,
    CommonLinks,
    CommonLogs,
    CommonNamespaces,
    CommonOtherStores,
    CommonPackages,
    CommonPrefixes,
    CommonSettings,
    CommonSharedRecords,
    CommonStoreRetention,
    CommonTokens,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from jupyter_envstore.blobs.interface import BlobFile
    from jupyter_envstore.builds.retention import Plan
    from jupyter_envstore.config import StoreConfig
    from jupyter_envstore.database.awaited_artifacts import Standing, Wanted
    from jupyter_envstore.database.changes import ChangedRow, Progress
    from jupyter_envstore.database.kept_packages import ServedFile
    from jupyter_envstore.database.kinds import WriteWatch
    from jupyter_envstore.database.paging import Filters, Page
    from jupyter_envstore.database.values import Statistics
    from jupyter_envstore.engine.package_list import ListedPackage
    from jupyter_envstore.engine.question_process import RunQuestion
    from jupyter_envstore.engine.record import BuildRecord
    from jupyter_envstore.images.image_archive import ImageArchive
    from jupyter_envstore.notebooks.bond import Bond
    from jupyter_envstore.notebooks.bond_state import Elsewhere, LockState, RecordedBuilds
    from jupyter_envstore.policy.access import AccessRules, Identity, SharedLink
    from jupyter_envstore.remote.kernel_build import KernelBuild
    from jupyter_envstore.representation.artifacts import ArtifactView
    from jupyter_envstore.representation.conda_store_types import (
        BuildJson,
        EnvironmentJson,
        FullBuildJson,
        NamespaceJson,
        PackageJson,
        TokenJson,
    )
    from jupyter_envstore.representation.packages import PackageChange
    from jupyter_envstore.services.values import (
        AuditEntry,
        BuildRef,
        ChangedThings,
        DiskSpace,
        Document,
        ImageState,
        LogMark,
        NamespaceMapping,
        NamespaceName,
        RecordUse,
        SharedEnvironment,
    )
    from jupyter_envstore.spec.dynamic_images import DynamicImage
    from jupyter_envstore.spec.lock_entries import CondaEntry
    from jupyter_envstore.spec.specification import Specification


class Environments(CommonEnvironments, Protocol):
    """Environments of all namespaces."""

    def page(self, identity: Identity, filters: Filters, page: Page) -> tuple[int, list[EnvironmentJson]]:
        """Return environments with the build that stands for each."""

    def activate_id(self, namespace: str, name: str, build_id: int, who: str = "") -> BuildRef:
        """Make a build of this environment, named by its id, the active one."""

    def describe(self, namespace: str, name: str, description: str, who: str) -> None:
        """Change the description of an environment."""


class Builds(CommonBuilds, Protocol):
    """Builds of all environments."""

    def prepare(self, specification: Specification, namespace: str, name: str) -> tuple[Specification, tuple[str, ...]]:
        """Return a specification as it would be built in a place, and what the settings changed, in words."""

    def rebuild(self, build_id: int, who: str) -> BuildRef:
        """Build the specification of an old build again: newer versions may come of it."""

    def clone(self, source: tuple[str, str, int | None], target: tuple[str, str], who: str) -> BuildRef:
        """Build the record of a build under another name: nothing is solved, no version changes."""

    def submit_record(
        self,
        record: BuildRecord,
        target: tuple[str, str],
        who: str,
        trigger: str,
        wheels: Collection[str] = (),
        use: RecordUse = ...,
    ) -> BuildRef:
        """Build a record that was made elsewhere: nothing is solved, no version changes."""

    def page(self, filters: Filters, page: Page) -> tuple[int, list[BuildJson]]:
        """Return builds with their ready artifacts."""

    def get(self, build_id: int) -> FullBuildJson:
        """Return one build, its specification included."""

    def place(self, build_id: int, deleted: bool = False) -> tuple[str, str]:
        """Return namespace and name of the environment of a build; with ``deleted``, of a deleted one too."""


class BuildRecords(CommonBuildRecords, Protocol):
    """The records of builds."""

    def locked_platforms(self, build_id: int) -> dict[str, str | None]:
        """Return the platforms that a build is locked for (None), or why it is not; none before its lock."""


class Bonds(CommonBonds, Protocol):
    """What notebooks remember of their environments."""

    def of_record(self, identity: Identity, digest: str, lock: bool = False) -> RecordedBuilds:
        """Return the builds with a build record that ``identity`` may see, newest first; with ``lock``, the record."""

    def lock_state(self, identity: Identity, bond: Bond) -> LockState | None:
        """Return what can be done here with the lock in a bond."""


class OtherStores(CommonOtherStores, Protocol):
    """Stores elsewhere, which the account is logged in to."""

    def look(self, identity: Identity, metadata: object) -> Elsewhere:
        """Ask other stores for the build of a notebook, and say what can be done with what they have."""

    def with_lock(self, identity: Identity, metadata: object, store: str) -> Bond:
        """Return the bond of a notebook with the lock that another store has."""


class SharedRecords(CommonSharedRecords, Protocol):
    """Build records in registries."""

    def manifest(self, build_id: int) -> bytes:
        """Return the manifest of a build's record."""

    def find_manifest(self, environment_id: int, digest: str, only: int | None = None) -> bytes | None:
        """Return the manifest of a record of an environment, by its SHA-256; None where it has none such."""

    def referrers(self, environment_id: int, image_digest: str, only: int | None = None) -> list[dict[str, object]]:
        """Return what refers to an image of an environment: the record that it was made of."""

    def blob(self, environment_id: int, digest: str, only: int | None = None) -> bytes | BlobFile | None:
        """Return a part of a record of an environment: bytes, or where they lie; None for others."""


class Prefixes(CommonPrefixes, Protocol):
    """The environments on the disk, one for each build."""

    def pack_away(self, build_id: int, who: str = "") -> None:
        """Drop the prefix and large artifacts of a build now; its record brings them back."""


class Logs(CommonLogs, Protocol):
    """What workers wrote while they built."""

    def since(self, build_id: int, mark: LogMark | None = None) -> tuple[bytes, LogMark, bool]:
        """Return what the log has behind a mark, the new mark, and whether more may come."""


class Packages(CommonPackages, Protocol):
    """What builds consist of."""

    def of_build(self, build_id: int) -> list[ListedPackage]:
        """Return the packages of a build, what was asked for, and what needs the others."""

    def page(self, build_id: int, search: str, exact: bool, build: str, page: Page) -> tuple[int, list[PackageJson]]:
        """Return the packages of a build."""

    def about(self, build_id: int, package: str, manager: str) -> dict[str, str]:
        """Return what a package of a build says of itself; what is not known is empty."""

    def changes_against(
        self, namespace: str, name: str, records: Sequence[CondaEntry], pip: Sequence[str] = ()
    ) -> list[PackageChange]:
        """Return what packages found by a solve would change in the active build; all are new without one."""

    def bytes_to_download(self, records: Sequence[CondaEntry]) -> int:
        """Return the bytes of those packages that the cache does not hold."""


class Artifacts(CommonArtifacts, Protocol):
    """What builds are turned into."""

    def standings(self, wanted: Collection[Wanted]) -> dict[Wanted, Standing]:
        """Return how artifacts stand that somebody waits for."""

    def of_build(self, build_id: int) -> list[ArtifactView]:
        """Return the artifacts of a build in every state; ``absent`` are those that can be made and were not yet."""

    def get(self, artifact_id: int) -> ArtifactView:
        """Return one artifact's state."""

    def file(self, digest: str) -> BlobFile:
        """Return the file of a ready artifact, to be sent."""


class Images(CommonImages, Protocol):
    """What the registry asks."""

    def environment_id(self, namespace: str, name: str, exactly: bool = False) -> int | None:
        """Return the id of an environment, where there is one; if ``exactly``, one that is written so, case and all."""

    def tagged_build(self, environment_id: int, tag: str) -> int | None:
        """Return the id of the completed build that a tag names: its key, or ``latest`` for the active one."""

    def why_untagged(self, environment_id: int, tag: str) -> str:
        """Return why no completed build of an environment is called so: none completed, or there are others."""

    def build_of_manifest(self, environment_id: int, digest: str, only: int | None = None) -> int | None:
        """Return the id of the environment's build whose ready image has a manifest, by its digest."""

    def blob(self, namespace: str, name: str, digest: str, only: int | None = None) -> BlobFile | None:
        """Return a blob that a ready image of an environment consists of; None where none does."""

    def tags(self, environment_id: int, only: int | None = None) -> list[str]:
        """Return the tags of an environment."""

    def repositories(self) -> list[tuple[str, str]]:
        """Return namespace and name of all environments that have an image, or could have one."""

    def address(self, build_id: int, host: str) -> str:
        """Return what ``docker pull`` is given for a build's image."""

    def state(self, build_id: int) -> ImageState:
        """Return how an image stands (``state``, ``digest``, ``reason``), and its build (``build``, ``why``)."""

    def archive(self, build_id: int) -> ImageArchive:
        """Return the image of a build as one file, with the name that it has once it is loaded."""


class DynamicImages(Protocol):
    """What pulls from ``conda-store-dynamic`` ask for."""

    def parse(self, repository: str) -> DynamicImage:
        """Return what a repository's name asks for, as the settings read it."""

    def build(self, image: DynamicImage, who: str, may_create: bool) -> int | None:
        """Return the id of a build of an image: one that is fresh or under way, or a new one."""

    def forget_old(self) -> list[str]:
        """Delete images on demand that nobody would be given any more; return their names."""


class PackageChannel(Protocol):
    """What is kept, served."""

    def index(self, identity: Identity, subdir: str, packed: bool, digest: str = "") -> Document:
        """Return the index of a folder of the channel (``repodata.json``), ``packed`` with Zstandard or not."""

    def file(self, identity: Identity, subdir: str, filename: str, digest: str = "") -> tuple[BlobFile, ServedFile]:
        """Return a conda package of the channel, the one of this ``digest`` where there are several of its name."""

    def wheel(self, identity: Identity, digest: str, filename: str) -> tuple[BlobFile, ServedFile]:
        """Return a kept file of a PyPI package."""

    def kept(self, identity: Identity, digests: Sequence[str]) -> list[str]:
        """Return the SHA-256 of those of some files that are kept, and that the caller may read."""

    def simple_index(self, identity: Identity, as_json: bool) -> Document:
        """Return the names of the kept PyPI packages."""

    def simple_project(self, identity: Identity, project: str, as_json: bool) -> Document:
        """Return the kept files of a PyPI package."""

    def rewritten_list(self, build_id: int, kind: str, address: str, variant: str = "") -> Document:
        """Return a lockfile or explicit list of a build whose kept packages have their address in the channel."""


class Namespaces(CommonNamespaces, Protocol):
    """Places for environments, and whom they are opened to."""

    def page(self, identity: Identity, page: Page) -> tuple[int, list[NamespaceName]]:
        """Return namespaces."""

    def get(self, name: str) -> NamespaceJson:
        """Return a namespace."""

    def create(self, name: str, who: str) -> None:
        """Make a namespace."""

    def change(self, name: str, metadata: Any, mappings: Any, identity: Identity) -> None:
        """Replace the metadata or the role mappings of a namespace; None leaves them."""

    def delete(self, name: str, who: str) -> None:
        """Delete an empty namespace, with its settings and mappings."""

    def mappings(self, name: str, other: str | None = None) -> list[NamespaceMapping]:
        """Return whom a namespace is opened to."""

    def open(self, name: str, other: str, role: str, identity: Identity, again: bool) -> None:
        """Give the user of another namespace a role in this one."""

    def close(self, name: str, other: str | None, who: str) -> None:
        """Take the user of another namespace their role here, or everybody theirs."""

    def usage(self, identity: Identity) -> dict[str, dict[str, int]]:
        """Return environments, builds and bytes of each namespace."""


class People(Protocol):
    """Identities of persons and of tokens."""

    def identify(self, rules: AccessRules, name: str, groups: Sequence[str] = (), is_admin: bool = False) -> Identity:
        """Return the identity of a person, with what role mappings and their groups give them."""

    def owner_of(self, token: str) -> str | None:
        """Return the name of the person whose token this is, None where it is nobody's."""

    def identify_token(self, rules: AccessRules, token: str) -> Identity | None:
        """Return the identity that a token gives, None when it is none of ours."""


class Tokens(CommonTokens, Protocol):
    """What stands for a person in a program."""

    def make(
        self,
        identity: Identity,
        name: str = "",
        primary_namespace: str | None = None,
        bindings: Any = None,
        expires_on: datetime | None = None,
    ) -> tuple[str, TokenJson]:
        """Make a token that gives no more than ``identity`` has; return it, the only time, and what is kept of it."""

    def for_kernel(self, identity: Identity, lifetime: timedelta) -> str:
        """Return a token for a kernel, which ends by itself."""


class Links(CommonLinks, Protocol):
    """Links that share one environment with whoever has them."""

    def make(
        self, identity: Identity, namespace: str, name: str, days: int = ..., ends: datetime | None = None
    ) -> tuple[str, TokenJson]:
        """Make the token of a link: whoever has it may look at an environment, and download what is made of it."""

    def of_environment(self, identity: Identity, namespace: str, name: str) -> list[TokenJson]:
        """Return the links to an environment that ``identity`` may revoke."""

    def revoke(self, identity: Identity, namespace: str, name: str, token_id: int) -> None:
        """End a link to an environment: one's own, or anybody's where one may delete the environment."""

    def shown(self, link: SharedLink) -> SharedEnvironment:
        """Return what whoever has a link is told of its environment."""


class Audit(Protocol):
    """What was done, by whom."""

    def note(self, who: str, verb: str, subject: str, detail: Mapping[str, object] | None = None) -> None:
        """Note who did what."""

    def entries(self, after: int = 0, size: int = 100, who: str = "", verb: str = "") -> list[AuditEntry]:
        """Return what was done, in order, behind entry ``after``."""


class Settings(CommonSettings, Protocol):
    """What the settings of a place are, and what they make of a specification."""

    def apply(self, specification: Specification, namespace: str, name: str) -> tuple[Specification, tuple[str, ...]]:
        """Return the specification as the settings of its place want it, and what was changed, in words."""


class Channels(CommonChannels, Protocol):
    """Where packages come from."""

    @property
    def run_question(self) -> RunQuestion | None:
        """What has questions to channels answered, if not the process of this machine."""

    def check(self, channels: Sequence[str], specs: Sequence[str] = ()) -> None:
        """Refuse channels that are none, local where that is not allowed, or not allowed by the store's settings."""


class StoreRetention(CommonStoreRetention, Protocol):
    """What the store may forget."""

    def space(self) -> DiskSpace:
        """Return bytes of the store's disk: free, in all, and whether there is too little to build anything."""

    def free(self, who: str) -> Plan:
        """Free what the settings do not want kept, and note who had it done."""

    def mend_links(self) -> int:
        """Make the links to active builds that are missing or wrong; return how many there were."""


class KernelBuilds(Protocol):
    """Environments for servers elsewhere that make kernels of them."""

    def active(self, identity: Identity, environments: Collection[int] | None = None) -> list[KernelBuild]:
        """Return the active build of each environment that someone may read."""

    def named(self, identity: Identity, builds: Collection[int]) -> list[KernelBuild]:
        """Return builds by their ids, active or not, of those that someone may read."""


class Changes(Protocol):
    """What those follow who show the store."""

    def watch(self) -> WriteWatch:
        """Return what tells whether it is worth to look; who asked for it closes it."""

    def since(self, identity: Identity, since: int) -> ChangedThings:
        """Return what changed behind revision ``since``, of what someone may see."""

    def revision(self) -> int:
        """Return the store's newest revision."""

    def rows(self, since: int) -> tuple[int, list[ChangedRow]]:
        """Return the newest revision, and all environments and builds that changed behind ``since``."""

    def running(self) -> tuple[list[Progress], int]:
        """Return how far each build is that is worked on; and how many jobs there are."""

    def statistics(self, ended_after: datetime) -> tuple[Statistics, datetime]:
        """Return the store's numbers, with builds that ended behind a moment, and the moment of this look."""


class Store(AnyStore, Protocol):
    """A store whose files are on this machine."""

    @property
    def config(self) -> StoreConfig:
        """The configuration that it was opened with."""

    @property
    def environments(self) -> Environments:
        """Environments of all namespaces."""

    @property
    def builds(self) -> Builds:
        """Builds of all environments."""

    @property
    def records(self) -> BuildRecords:
        """The records of builds."""

    @property
    def bonds(self) -> Bonds:
        """What notebooks remember of their environments."""

    @property
    def other_stores(self) -> OtherStores:
        """Stores elsewhere, which the account is logged in to."""

    @property
    def shared_records(self) -> SharedRecords:
        """Build records in registries."""

    @property
    def prefixes(self) -> Prefixes:
        """The environments on the disk, one for each build."""

    @property
    def logs(self) -> Logs:
        """What workers wrote while they built."""

    @property
    def packages(self) -> Packages:
        """What builds consist of."""

    @property
    def artifacts(self) -> Artifacts:
        """What builds are turned into."""

    @property
    def images(self) -> Images:
        """What the registry asks."""

    @property
    def dynamic_images(self) -> DynamicImages:
        """What pulls from ``conda-store-dynamic`` ask for."""

    @property
    def package_channel(self) -> PackageChannel:
        """What is kept, served."""

    @property
    def namespaces(self) -> Namespaces:
        """Places for environments, and whom they are opened to."""

    @property
    def people(self) -> People:
        """Identities of persons and of tokens."""

    @property
    def tokens(self) -> Tokens:
        """What stands for a person in a program."""

    @property
    def kernel_builds(self) -> KernelBuilds:
        """Environments for servers elsewhere that make kernels of them."""

    @property
    def links(self) -> Links:
        """Links that share one environment."""

    @property
    def audit(self) -> Audit:
        """What was done, by whom."""

    @property
    def settings(self) -> Settings:
        """What the settings of a place are, and what they make of a specification."""

    @property
    def channels(self) -> Channels:
        """Where packages come from."""

    @property
    def retention(self) -> StoreRetention:
        """What the store may forget."""

    @property
    def changes(self) -> Changes:
        """What those follow who show the store."""
