"""The open store, and where its builds are found."""

from __future__ import annotations

import os
from dataclasses import dataclass

from jupyter_envstore.blobs.local import BlobStore
from jupyter_envstore.builds.executors import Executor, LocalExecutor
from jupyter_envstore.builds.retention import Retention
from jupyter_envstore.builds.scheduler import Scheduler
from jupyter_envstore.config import MAX_PREFIX, StoreConfig
from jupyter_envstore.database.connection import Database
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.errors import InvalidInputError, StorageError


@dataclass(frozen=True)
class BuildRef:
    """Where a build is found: names, its number in the environment, its id; and what settings changed, in words."""

    namespace: str
    name: str
    number: int
    id: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}:{self.number}"


class OpenStore:
    """A store that is open in this process; others may have it open too.

    Parameters
    ----------
    config : StoreConfig
        Where it is, and its limits.
    executor : Executor or None
        Starts workers; processes of this host by default.
    """

    def __init__(self, config: StoreConfig, executor: Executor | None = None) -> None:
        self.config = config
        check_root(config)
        self.database = Database(config.url)
        self.database.migrate()
        self.blobs = BlobStore(config.blobs)
        self.scheduler = Scheduler(config, self.database, executor or LocalExecutor(config))
        self.retention = Retention(config, self.database)

    def close(self) -> None:
        """Close the database; workers go on."""
        self.scheduler.executor.close()
        self.database.close()


def check_root(config: StoreConfig) -> None:
    """Make the store's folder, or say why it cannot be used.

    Raises
    ------
    InvalidInputError
        Its path is too long for the prefixes below it.
    StorageError
        It cannot be written.
    """
    if redact(config.channel_alias) != config.channel_alias:
        msg = "channel_alias holds a password or token; store it in auth.json or .condarc of the account that builds"
        raise InvalidInputError(msg)
    longest = len(str(config.builds)) + len("/01234567-1234567")
    if longest > MAX_PREFIX:
        msg = (
            f"root_dir {config.root} is too long: prefixes below it would have {longest} characters, "
            f"{MAX_PREFIX} at most"
        )
        raise InvalidInputError(msg)
    if any(letter.isspace() for letter in str(config.root)):
        msg = f"root_dir {str(config.root)!r} has a space in it, which first lines of scripts cannot hold"
        raise InvalidInputError(msg)
    try:
        for folder in (config.root, config.builds, config.packages, config.staging):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"the store cannot be made at {config.root}: {error.strerror}; choose another root_dir"
        raise StorageError(msg) from None
    if not os.access(config.root, os.W_OK):
        msg = f"the store at {config.root} cannot be written; check who owns it"
        raise StorageError(msg)
