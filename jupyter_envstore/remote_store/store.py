"""RemoteStore: a store elsewhere, as its use cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.credentials import Credential
from jupyter_envstore.remote.kept_packages import RemotePackages
from jupyter_envstore.remote.logins import Logins
from jupyter_envstore.remote_store.builds import Builds
from jupyter_envstore.remote_store.connection import StoreConnection
from jupyter_envstore.remote_store.contents import Artifacts, Images, Logs, Packages
from jupyter_envstore.remote_store.environments import Environments
from jupyter_envstore.remote_store.moved_builds import MovedBuilds
from jupyter_envstore.remote_store.notebooks import Bonds, Modules, ScriptBlocks
from jupyter_envstore.remote_store.places import Channels, Links, Namespaces, Settings, StoreRetention, Tokens
from jupyter_envstore.remote_store.prefixes import Bring, Prefixes
from jupyter_envstore.remote_store.records import BuildRecords, SharedRecords
from jupyter_envstore.services.other_stores import OtherStores


class Waiting:
    """Work that waits for a worker: the store has a server that starts it."""

    def tick(self) -> int:
        """Do nothing, and say so."""
        return 0

    def start_and_leave(self) -> str:
        """Do nothing: the server goes on."""
        return ""


@dataclass(frozen=True)
class RemoteStore:
    """A store elsewhere, with what commands ask of any store.

    The login says who one is there: arguments that name a person say nothing.
    """

    connection: StoreConnection
    shims: Path
    artifacts: Artifacts
    bonds: Bonds
    builds: Builds
    channels: Channels
    environments: Environments
    images: Images
    links: Links
    logs: Logs
    modules: Modules
    moved_builds: MovedBuilds
    namespaces: Namespaces
    other_stores: OtherStores
    packages: Packages
    prefixes: Prefixes
    records: BuildRecords
    retention: StoreRetention
    scheduler: Waiting
    script_blocks: ScriptBlocks
    settings: Settings
    shared_records: SharedRecords
    tokens: Tokens

    allow_local_files = True
    """Whether specifications may name files and folders of the store's machine: the store says so when it is asked."""

    poll_seconds = 0.5

    @classmethod
    def open(
        cls, client: ClientConfiguration, config: StoreConfig, credential: Credential, logins: Logins, bring: Bring
    ) -> RemoteStore:
        """Return the store; it is asked when something is wanted of it.

        Parameters
        ----------
        client : ClientConfiguration
            Where it is, and where its environments are brought to.
        config : StoreConfig
            What holds on this machine: registries, whether other stores are asked.
        credential : Credential
            The login to it.
        logins : Logins
            The logins to other stores.
        bring : callable
            What brings environments to this machine.

        Raises
        ------
        InvalidInputError
            The certificates of the configuration cannot be read.
        RemoteStoreUnavailableError
            There is no login.
        """
        connection = StoreConnection(client.url, credential, client.ca_file)
        builds, records = Builds(connection), BuildRecords(connection)
        bonds = Bonds(connection, builds)
        kept = RemotePackages(client.url, credential.token(), client.ca_file)
        return cls(
            connection=connection,
            shims=replace(config, root_dir=str(client.root)).shims,
            artifacts=Artifacts(connection),
            bonds=bonds,
            builds=builds,
            channels=Channels(connection),
            environments=Environments(connection, builds),
            images=Images(connection),
            links=Links(connection),
            logs=Logs(connection),
            modules=Modules(connection),
            moved_builds=MovedBuilds(connection, builds),
            namespaces=Namespaces(connection),
            other_stores=OtherStores(replace(config, allow_local_files=True), logins, bonds),
            packages=Packages(connection),
            prefixes=Prefixes(connection, builds, bring),
            records=records,
            retention=StoreRetention(connection),
            scheduler=Waiting(),
            script_blocks=ScriptBlocks(connection),
            settings=Settings(connection),
            shared_records=SharedRecords(connection, records, bonds, kept, config),
            tokens=Tokens(connection),
        )

    @cached_property
    def own_namespace(self) -> str:
        """Where environments of the person who asks belong, unless they say otherwise."""
        return str(self.connection.get("permission/")["primary_namespace"])

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()
