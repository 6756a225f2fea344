"""EnvStore: a store that is open in this process, as its use cases."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.builds.executor import Executor, questions_of
from jupyter_envstore.builds.executors import executor_for
from jupyter_envstore.builds.own_files import check_mounted_files, check_owner, claim_files
from jupyter_envstore.builds.own_place import check_database, is_settled, name_store, settle_place
from jupyter_envstore.builds.retention import Retention
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.store_identity import has_files
from jupyter_envstore.engine.sandbox import check_sandbox, sandbox_for
from jupyter_envstore.errors import EnvStoreError, ForeignFilesError, StorageError
from jupyter_envstore.remote.logins import Logins, default_file
from jupyter_envstore.services.artifacts import Artifacts
from jupyter_envstore.services.audit import Audit
from jupyter_envstore.services.bonds import Bonds
from jupyter_envstore.services.builds import Builds
from jupyter_envstore.services.changes import Changes
from jupyter_envstore.services.channels import Channels
from jupyter_envstore.services.dynamic_images import DynamicImages
from jupyter_envstore.services.environments import Environments
from jupyter_envstore.services.free_space import FreeSpace
from jupyter_envstore.services.images import Images
from jupyter_envstore.services.kernel_builds import KernelBuilds
from jupyter_envstore.services.links import Links
from jupyter_envstore.services.logs import Logs
from jupyter_envstore.services.modules import Modules
from jupyter_envstore.services.moved_builds import MovedBuilds
from jupyter_envstore.services.namespaces import Namespaces
from jupyter_envstore.services.other_stores import OtherStores
from jupyter_envstore.services.package_channel import PackageChannel
from jupyter_envstore.services.packages import Packages
from jupyter_envstore.services.people import People
from jupyter_envstore.services.prefixes import Prefixes
from jupyter_envstore.services.record_submission import RecordSubmission
from jupyter_envstore.services.records import BuildRecords
from jupyter_envstore.services.retention import StoreRetention
from jupyter_envstore.services.root_folder import check_root
from jupyter_envstore.services.script_blocks import ScriptBlocks
from jupyter_envstore.services.settings import Settings
from jupyter_envstore.services.shared_records import SharedRecords
from jupyter_envstore.services.tokens import Tokens

LOG = logging.getLogger("jupyter_envstore")
OWN_NAMESPACE = "default"
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class EnvStore:
    """A store that is open in this process; others may have it open too.

    Each use case stands with the noun that it is about: ``store.builds.submit(...)``, ``store.artifacts.find(...)``.
    :mod:`jupyter_envstore.services.interfaces` says what another implementation must offer.
    """

    config: StoreConfig
    database: Database
    blobs: BlobStore
    scheduler: Scheduler
    artifacts: Artifacts
    audit: Audit
    bonds: Bonds
    builds: Builds
    changes: Changes
    channels: Channels
    dynamic_images: DynamicImages
    environments: Environments
    images: Images
    kernel_builds: KernelBuilds
    links: Links
    logs: Logs
    modules: Modules
    moved_builds: MovedBuilds
    namespaces: Namespaces
    other_stores: OtherStores
    package_channel: PackageChannel
    packages: Packages
    people: People
    prefixes: Prefixes
    records: BuildRecords
    retention: StoreRetention
    script_blocks: ScriptBlocks
    shared_records: SharedRecords
    settings: Settings
    tokens: Tokens

    @classmethod
    def open(cls, config: StoreConfig, executor: Executor | None = None) -> EnvStore:
        """Open the store of a configuration; it is made where it is not there yet.

        Parameters
        ----------
        config : StoreConfig
            Where it is, and its limits.
        executor : Executor or None
            Starts workers; by default the one that the configuration names.

        Raises
        ------
        InvalidInputError, StorageError
            The folder cannot be used, or the executor is not known.
        StoreUnavailableError
            The database cannot be opened.
        """
        for notice in check_root(config):
            LOG.warning("envstore: %s", notice)
        check_sandbox(sandbox_for(config))
        executor = executor or executor_for(config)
        database, blobs = Database(config.url), blob_store(config)
        try:
            check_database(config, database)
            database.make()
            database.migrate()
            _settle(config, database, blobs)
        except EnvStoreError:
            database.close()
            raise
        scheduler = Scheduler(config, database, blobs, executor)
        packing = Retention(config, database, blobs)
        settings, records = Settings(config, database), BuildRecords(database, blobs)
        space = FreeSpace(config, settings)
        recorded = RecordSubmission(config, database, blobs, scheduler, settings, space, records)
        builds = Builds(config, database, scheduler, settings, space, recorded)
        environments = Environments(config, database, scheduler)
        images = Images(config, database, blobs)
        artifacts = Artifacts(config, database, blobs, scheduler, images)
        bonds = Bonds(config, database, settings, builds, records)
        prefixes = Prefixes(config, database, blobs, scheduler, records, packing)
        return cls(
            config=config,
            database=database,
            blobs=blobs,
            scheduler=scheduler,
            artifacts=artifacts,
            audit=Audit(database),
            bonds=bonds,
            builds=builds,
            changes=Changes(database),
            channels=Channels(config, settings, questions_of(executor)),
            dynamic_images=DynamicImages(database, settings, builds, environments),
            environments=environments,
            images=images,
            kernel_builds=KernelBuilds(config, database),
            links=Links(config, database, settings),
            logs=Logs(config, database, blobs),
            modules=Modules(config, database),
            moved_builds=MovedBuilds(config, database, settings, builds, bonds),
            namespaces=Namespaces(database),
            other_stores=OtherStores(config, Logins(default_file()), bonds),
            package_channel=PackageChannel(database, blobs, artifacts),
            packages=Packages(config, database, scheduler, builds, records),
            people=People(database, settings),
            prefixes=prefixes,
            records=records,
            retention=StoreRetention(config, database, settings, packing),
            script_blocks=ScriptBlocks(prefixes, records),
            shared_records=SharedRecords(config, database, blobs, settings, builds, space),
            settings=settings,
            tokens=Tokens(database),
        )

    @property
    def own_namespace(self) -> str:
        """Where environments of this machine's people belong, unless they say otherwise."""
        return OWN_NAMESPACE

    @property
    def allow_local_files(self) -> bool:
        """Whether specifications may name files and folders of this machine."""
        return self.config.allow_local_files

    @property
    def poll_seconds(self) -> float:
        """How often the store is looked at by who waits for something in it."""
        return POLL_SECONDS

    @property
    def shims(self) -> Path:
        """The folder of programs that stand in for what environments lack."""
        return self.config.shims

    def close(self) -> None:
        """Close the database; workers go on."""
        self.scheduler.close()
        self.database.close()


def _settle(config: StoreConfig, database: Database, blobs: BlobStore) -> None:
    """Have folder, database and bucket belong together; the folder last, which is not asked again then.

    A new store must reach its bucket, so that no two use one. A store of an older version, which has files there, may
    be used while the bucket is away, and claims it before anything is removed.
    """
    if is_settled(config, database):
        check_mounted_files(config, database, blobs)
        settle_place(config, database)
        return
    with database.read() as session:
        is_new = not has_files(session)
    _ask(partial(check_owner, config, database, blobs), is_new)
    name_store(config, database)
    _ask(partial(claim_files, config, database, blobs), is_new)
    settle_place(config, database)


def _ask(question: Callable[[], None], is_new: bool) -> None:
    try:
        question()
    except StorageError as error:
        if is_new or isinstance(error, ForeignFilesError):
            raise
        LOG.warning("envstore: the bucket does not have the name of the store yet: %s", error)
