"""What every store offers, that of this machine and one elsewhere: all that commands ask of one.

:class:`jupyter_envstore.services.store.EnvStore` is the store of this machine, which offers more
(:mod:`jupyter_envstore.services.interfaces`); :class:`jupyter_envstore.remote_store.store.RemoteStore` is one of
another machine. What a method raises is told by the implementation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from jupyter_envstore.builds.options import BuildOptions
    from jupyter_envstore.builds.retention import Plan
    from jupyter_envstore.engine.module_contents import Language
    from jupyter_envstore.engine.record import BuildRecord
    from jupyter_envstore.images.record_transfer import Pushed
    from jupyter_envstore.images.reference import Reference
    from jupyter_envstore.notebooks.bond import Bond
    from jupyter_envstore.notebooks.bond_state import BondState
    from jupyter_envstore.notebooks.module_provider import ModuleProvider
    from jupyter_envstore.notebooks.pypi_requests import Requested
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.policy.setting_values import SettingValues
    from jupyter_envstore.representation.artifacts import ArtifactView
    from jupyter_envstore.representation.builds import BuildProgress, BuildView, FullBuildView, KeptPackages
    from jupyter_envstore.representation.conda_store_types import EnvironmentJson, TokenJson
    from jupyter_envstore.representation.environments import EnvironmentView
    from jupyter_envstore.representation.packages import PackageChange
    from jupyter_envstore.services.other_stores import FoundBond
    from jupyter_envstore.services.values import (
        BuildRef,
        ChannelPackage,
        CheckedSpecification,
        MovedBuild,
        PulledRecord,
        RestoreSources,
        ShareLink,
    )
    from jupyter_envstore.spec.specification import Specification


class CommonEnvironments(Protocol):
    """Environments of all namespaces."""

    def list_all(self, namespace: str | None = None) -> list[EnvironmentView]:
        """Return all environments, or those of a namespace."""

    def get(self, identity: Identity, namespace: str, name: str) -> EnvironmentJson:
        """Return one environment as listings show it."""

    def newest_specification(self, namespace: str, name: str) -> tuple[str | None, int | None]:
        """Return the hash of what the newest build was made of, and the build's id while it is queued or runs."""

    def activate(self, namespace: str, name: str, build: str, who: str = "") -> BuildRef:
        """Make a completed build of this environment its active one."""

    def delete(self, namespace: str, name: str, who: str = "", at_once: bool = False) -> int:
        """Delete an environment with all its builds; what runs is stopped. Return how many builds it had."""

    def can_come_back(self, namespace: str, name: str) -> bool:
        """Whether there is no environment of this name, and one that was deleted can be brought back."""

    def undelete(self, namespace: str, name: str, who: str = "") -> int:
        """Bring back the environment of this name that was deleted last, with its builds. Return how many there are."""


class CommonBuilds(Protocol):
    """Builds of all environments."""

    def submit(
        self,
        specification: Specification,
        namespace: str,
        name: str | None,
        who: str,
        trigger: str = "submitted",
        options: BuildOptions | None = None,
        *,
        is_new: bool = False,
        accepted: Sequence[str] | None = None,
    ) -> BuildRef:
        """Add a build and return at once; a scheduler starts it."""

    def text(self, build_id: int) -> str:
        """Return the specification as it was typed."""

    def options(self, build_id: int) -> BuildOptions:
        """Return the choices of a build, for another one that goes on from it."""

    def check(self, specification: Specification, namespace: str, name: str) -> CheckedSpecification:
        """Return what a specification would be built as; refuse what the settings of the place forbid."""

    def find(self, namespace: str, name: str, build: str | None = None) -> BuildRef:
        """Return a build by number or key; without one the active build, or the newest."""

    def of_environment(self, namespace: str, name: str) -> list[BuildView]:
        """Return the builds of an environment, newest first."""

    def show(self, build_id: int) -> FullBuildView:
        """Return all about a build: states, steps, prefix, artifacts."""

    def progress(self, build_id: int) -> BuildProgress:
        """Return how far a build is, and whether work on it is queued or runs."""

    def cancel(self, build_id: int, who: str = "") -> list[str]:
        """Stop a build that is queued or runs, or the artifacts of one that is ready; return what was stopped."""

    def delete(self, build_id: int, who: str = "") -> None:
        """Delete a build that is not active and does not run."""


class CommonBuildRecords(Protocol):
    """The records of builds."""

    def read(self, build_id: int) -> BuildRecord:
        """Return the build record."""

    def failed_platforms(self, build_id: int) -> dict[str, str]:
        """Return the platforms that a build could not be locked for, each with the reason; none before its lock."""


class CommonBonds(Protocol):
    """What notebooks remember of their environments."""

    def of_build(self, build_id: int, lock: bool = False) -> Bond:
        """Return what a notebook that runs in a build remembers; with ``lock``, the whole record is in it."""

    def look(self, identity: Identity, metadata: object) -> BondState:
        """Return what is known here of a notebook's environment, of what ``identity`` may see."""

    def build_lock(
        self, metadata: object, target: tuple[str, str], who: str, accepted: Sequence[str] = (), later: bool = False
    ) -> BuildRef:
        """Build the lock that a notebook holds, in a new environment."""


class MovedBuilds(Protocol):
    """Builds that come from another store, by their records."""

    def add(
        self, metadata: object, target: tuple[str, str], who: str, accepted: Sequence[str], moved: MovedBuild
    ) -> BuildRef:
        """Add a build of another store to an environment, behind those that it has; one that is there stays alone."""


class CommonOtherStores(Protocol):
    """Stores elsewhere, which the account is logged in to."""

    def find(self, identity: Identity, metadata: object) -> FoundBond:
        """Ask other stores for the build of a notebook; the store where it was written comes first."""


class Modules(Protocol):
    """The modules in the packages of a store."""

    def providers(self, identity: Identity, module: str, language: Language = "python") -> list[ModuleProvider]:
        """Return the packages that have a module, the most certain first."""


class ScriptBlocks(Protocol):
    """The script blocks (PEP 723) of builds."""

    def requested(self, build_id: int) -> Requested:
        """Return what a build was asked for, with the names that its packages have on PyPI."""


class CommonSharedRecords(Protocol):
    """Build records in registries."""

    def push(self, build_id: int, target: Reference, who: str, report: Callable[[str, int, bool], None]) -> Pushed:
        """Send the record of a build to a registry."""

    def pull(self, source: Reference) -> PulledRecord:
        """Fetch a build record from a registry, and read it."""

    def builds_with(self, pulled: PulledRecord) -> list[BuildRef]:
        """Return the completed builds that have a record already, newest first."""

    def build(
        self,
        pulled: PulledRecord,
        target: tuple[str, str],
        who: str,
        accepted: Sequence[str] = (),
        later: bool = False,
    ) -> BuildRef:
        """Build a record that was fetched, in a new environment."""


class CommonPrefixes(Protocol):
    """The environments on the disk, one for each build."""

    def path(self, build_id: int) -> Path:
        """Return the prefix of a build."""

    def check_packed_away(self, build_id: int) -> None:
        """Make sure that a build can be restored: it was completed once, and its prefix was removed."""

    def restore_sources(self, build_id: int) -> RestoreSources:
        """Return where each package would come from, and the files that are to be had nowhere, as JSON values."""

    def restore(self, build_id: int, who: str = "") -> None:
        """Bring the prefix of an old build back from its record, in the background."""

    def offer_kernels(self, build_id: int) -> None:
        """Let a build that is not active have kernels of its own in the servers that are started from now on."""

    def pin(self, build_id: int, pinned: bool, who: str = "") -> None:
        """Keep the prefix of a build for good, or let the retention settings decide again."""


class CommonLogs(Protocol):
    """What workers wrote while they built."""

    def read(self, build_id: int) -> str:
        """Return the log so far."""

    def part(self, build_id: int, offset: int) -> tuple[str, int]:
        """Return the log so far behind byte ``offset``, and the offset behind it."""


class CommonPackages(Protocol):
    """What builds consist of."""

    def diff(self, first: int, second: int) -> list[PackageChange]:
        """Return what changed from one build to another: packages added, removed, changed; first what was asked for."""

    def keep(self, build_id: int, wanted: bool, who: str = "") -> None:
        """Store the files of a build's packages, in the background, or let them go; either way, the setting rests."""

    def kept(self, build_id: int) -> KeptPackages:
        """Return what is kept of a build, and what could not be had."""


class CommonArtifacts(Protocol):
    """What builds are turned into."""

    def request(self, build_id: int, kind: str, variant: str = "", who: str = "") -> int:
        """Have an artifact made, unless it is ready or being made; return its id."""

    def find(self, build_id: int, kind: str, variant: str = "") -> ArtifactView:
        """Return the state of an artifact of a build, with its media type."""

    def pieces(self, build_id: int, kind: str, variant: str = "") -> Iterator[bytes]:
        """Yield the bytes that people are given of a ready artifact: of an image, all of it as one file."""

    def note_download(self, who: str, build_id: int, kind: str) -> None:
        """Note that an artifact was downloaded."""


class CommonImages(Protocol):
    """What the registry asks."""

    def push(self, digest: str, target: Reference, report: Callable[[str, int, bool], None]) -> int:
        """Copy an image to another registry; return how many bytes were sent."""


class CommonNamespaces(Protocol):
    """Places for environments, and whom they are opened to."""

    def exists(self, name: str) -> bool:
        """Whether a namespace is there."""


class CommonTokens(Protocol):
    """What stands for a person in a program."""

    def of_person(self, identity: Identity) -> list[TokenJson]:
        """Return the tokens of a person."""

    def revoke(self, identity: Identity, token_id: int) -> None:
        """End a token of one's own, or anybody's as admin of everything; and all tokens that were made with it."""


class CommonLinks(Protocol):
    """Links that share one environment with whoever has them."""

    def share(self, identity: Identity, namespace: str, name: str, days: int = ...) -> ShareLink:
        """Make a link: whoever has it may look at an environment, and download what is made of it."""


class CommonSettings(Protocol):
    """What the settings of a place are, and what they make of a specification."""

    def near(self, place: tuple[str, str | None] | None) -> SettingValues:
        """Return the settings that hold for an environment, whether or not it or its namespace is there yet."""

    def effective(self, scope: Sequence[str] = ()) -> SettingValues:
        """Return the settings that hold in a scope: ``()``, ``(namespace,)`` or ``(namespace, name)``."""

    def change(self, values: dict[str, Any], scope: Sequence[str], who: str) -> None:
        """Change settings of a scope."""


class CommonChannels(Protocol):
    """Where packages come from."""

    def search(self, package: str, channels: Sequence[str] = (), platform: str | None = None) -> list[ChannelPackage]:
        """Return packages of channels: versions of a name, or the names that a pattern with ``*`` matches."""

    def known(self, names: Sequence[str]) -> set[str]:
        """Return those of some names that packages of the default channels have, for this platform."""


class CommonStoreRetention(Protocol):
    """What the store may forget."""

    def clear_deleted(self) -> int:
        """Remove the files of environments that can not be brought back any more; return how many there were."""

    def collect(self, dry_run: bool = False, gone: bool = False) -> Plan:
        """Free what the settings do not want kept, or say what that would be.

        With ``gone``, prefixes that are not in the folder are known to be gone for good.
        """


class Scheduler(Protocol):
    """Work that waits for a worker."""

    def tick(self) -> int:
        """Settle what was lost and start what may run; return how many workers were started.

        A store that has a server of its own has nothing to do here.
        """

    def start_and_leave(self) -> str:
        """Start what may run, for a caller that ends right after; return why nothing is, empty if workers go on."""


class AnyStore(Protocol):
    """A store of environments, wherever it is."""

    @property
    def own_namespace(self) -> str:
        """Where environments of the person who asks belong, unless they say otherwise."""

    @property
    def allow_local_files(self) -> bool:
        """Whether specifications may name files and folders of the store's machine; if so, the store may yet refuse."""

    @property
    def poll_seconds(self) -> float:
        """How often the store is looked at by who waits for something in it."""

    @property
    def shims(self) -> Path:
        """The folder of programs that stand in for what environments on this machine lack."""

    @property
    def environments(self) -> CommonEnvironments:
        """Environments of all namespaces."""

    @property
    def builds(self) -> CommonBuilds:
        """Builds of all environments."""

    @property
    def records(self) -> CommonBuildRecords:
        """The records of builds."""

    @property
    def bonds(self) -> CommonBonds:
        """What notebooks remember of their environments."""

    @property
    def other_stores(self) -> CommonOtherStores:
        """Stores elsewhere, which the account is logged in to."""

    @property
    def modules(self) -> Modules:
        """The modules in the packages of a store."""

    @property
    def moved_builds(self) -> MovedBuilds:
        """Builds that come from another store."""

    @property
    def shared_records(self) -> CommonSharedRecords:
        """Build records in registries."""

    @property
    def script_blocks(self) -> ScriptBlocks:
        """The script blocks (PEP 723) of builds."""

    @property
    def prefixes(self) -> CommonPrefixes:
        """The environments on the disk, one for each build."""

    @property
    def logs(self) -> CommonLogs:
        """What workers wrote while they built."""

    @property
    def packages(self) -> CommonPackages:
        """What builds consist of."""

    @property
    def artifacts(self) -> CommonArtifacts:
        """What builds are turned into."""

    @property
    def images(self) -> CommonImages:
        """Docker images of builds."""

    @property
    def namespaces(self) -> CommonNamespaces:
        """Places for environments."""

    @property
    def tokens(self) -> CommonTokens:
        """What stands for a person in a program."""

    @property
    def links(self) -> CommonLinks:
        """Links that share one environment."""

    @property
    def settings(self) -> CommonSettings:
        """What the settings of a place are."""

    @property
    def channels(self) -> CommonChannels:
        """Where packages come from."""

    @property
    def retention(self) -> CommonStoreRetention:
        """What the store may forget."""

    @property
    def scheduler(self) -> Scheduler:
        """Work that waits for a worker."""

    def close(self) -> None:
        """Let go of it; work in the background goes on."""
