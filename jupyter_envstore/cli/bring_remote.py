"""Environments of a store elsewhere, brought to this machine exactly: from their build records."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from jupyter_envstore.builds.deletion import prefixes_in_use
from jupyter_envstore.builds.local_executor import LOCAL, LocalExecutor
from jupyter_envstore.builds.shims import write_shims
from jupyter_envstore.builds.waiting_worker import WaitingWorker
from jupyter_envstore.cli.common import who
from jupyter_envstore.cli.kept_files import KeptFiles
from jupyter_envstore.cli.late_kernel import bring as bring_files
from jupyter_envstore.cli.recorded_build import RecordElsewhere, recorded_build
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_build import ActiveBuild
from jupyter_envstore.engine.prefix import tree_size
from jupyter_envstore.errors import (
    BuildFailedError,
    NotFoundError,
    StorageError,
)
from jupyter_envstore.kernels.own_kernels import own_kernels
from jupyter_envstore.remote.brought import BroughtEnvironment, BroughtEnvironments, Coming
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.credentials import KERNEL_VARIABLE, Credential
from jupyter_envstore.remote.logins import Logins, default_file
from jupyter_envstore.representation.builds import BuildProgress
from jupyter_envstore.services.interfaces import Store
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec.names import parse_reference
from jupyter_envstore.spec.wording import human_size

FULL = "no space left"
"""What a build says where the disk is full."""
TELL_SECONDS = 0.5
FETCH = "fetch"
"""The step of a build that downloads packages."""


def bringing(client: ClientConfiguration, credential: Credential) -> Callable[[str, BuildRef], Path]:
    """Return what brings an environment to this machine, unless it is there, and returns its prefix.

    Parameters
    ----------
    client : ClientConfiguration
        The store elsewhere, and the one of this machine that environments are brought to.
    credential : Credential
        The login to the store elsewhere.
    """

    def path(record: str, reference: BuildRef) -> Path:
        known = BroughtEnvironments(client.root)
        if known.use(record) is None:
            make_cache(client)
            bring(client, credential.token, record, str(reference), reference.id)
        found = known.use(record)
        if found is None:
            msg = f"{reference} does not stay on this machine: there is too little room for it in {client.root}"
            raise StorageError(msg)
        return Path(found.prefix)

    return path


def make_cache(client: ClientConfiguration) -> None:
    """Make the folder that environments are brought to.

    Raises
    ------
    StorageError
        It cannot be made.
    """
    try:
        client.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"environments cannot be brought to {client.root} (c.EnvStoreApp.remote_cache_dir): {error.strerror}"
        raise StorageError(msg) from None


def bring(
    client: ClientConfiguration,
    token: Callable[[], str],
    record: str,
    build: str,
    build_id: int,
    waiting: WaitingWorker | None = None,
) -> None:
    """Bring an environment: its record from the store elsewhere, its packages from their channels.

    Parameters
    ----------
    client : ClientConfiguration
        The store elsewhere, and the one of this machine that environments are brought to.
    token : callable
        Returns what the store elsewhere is asked with.
    record : str
        SHA-256 of the build record.
    build : str
        ``namespace/name:number`` in the store elsewhere.
    build_id : int
        Its id there.
    waiting : WaitingWorker or None
        A worker that has been started already.

    Raises
    ------
    BuildFailedError
        Its packages cannot be had.
    EnvStoreError
        It cannot be brought for another reason.
    """
    config = replace(StoreConfig.from_text(client.store), hand_on=True, worker_wait_seconds=0.0)
    executor = LocalExecutor(config, waiting) if config.executor == LOCAL else None
    namespace, name, number = parse_reference(build)
    row = ActiveBuild(0, namespace, name, build_id, int(number or 0), None, True)
    known = BroughtEnvironments(config.root)
    print(f"{build} is not here yet; bringing it", file=sys.stderr, flush=True)
    known.tell(record, Coming())
    try:
        with known.coming_on(record), contextlib.closing(EnvStore.open(config, executor)) as store:
            _bring(store, client, token, known, record, row)
    except Exception as error:
        known.tell(record, Coming(failure=str(error)))
        raise
    known.end(record)
    print(f"{build} is here now", file=sys.stderr, flush=True)


def _bring(
    store: EnvStore,
    client: ClientConfiguration,
    token: Callable[[], str],
    known: BroughtEnvironments,
    record: str,
    row: ActiveBuild,
) -> None:
    make_room(store, known, client.most_bytes)
    place = row.namespace, row.name
    reference = recorded_build(store, RecordElsewhere(client, token, record, place, row.build_id or 0))
    prefix = _files(store, client, token, reference, Teller(known, record))
    write_shims(store.shims)
    kernels = dict(own_kernels(prefix, row, store.shims))
    with known.locked():
        known.note(record, BroughtEnvironment(reference.namespace, reference.name, str(prefix), kernels))
    make_room(store, known, client.most_bytes, record)


def _files(
    store: EnvStore, client: ClientConfiguration, token: Callable[[], str], reference: BuildRef, teller: Teller
) -> Path:
    """Make the prefix of a build, unless it is there, from packages that the store elsewhere keeps and from others."""
    if not store.builds.show(reference.id)["packed_away"]:
        return bring_files(store, reference, teller.tell)
    kept = KeptFiles(store, client, token, reference, teller.fetched)
    try:
        with kept.held():
            kept.fetch()
            try:
                return bring_files(store, reference, teller.tell)
            except BuildFailedError:
                if not kept.fetch():  # some were damaged here, and have been removed
                    raise
                return bring_files(store, reference, teller.tell)
    except (BuildFailedError, StorageError, OSError) as error:
        if FULL not in str(error).lower():
            raise
        raise _without_room(store, client, reference, kept) from None


def _without_room(store: EnvStore, client: ClientConfiguration, reference: BuildRef, kept: KeptFiles) -> StorageError:
    """Remove what came of an environment that found no room, and return what is told of it."""
    needed = kept.size
    with contextlib.suppress(NotFoundError):
        store.environments.delete(reference.namespace, reference.name, who(), at_once=True)
    store.retention.collect()
    free = shutil.disk_usage(client.root).free
    msg = (
        f"there is no room for it in {client.root} (c.EnvStoreApp.remote_cache_dir): {human_size(free)} are free, and "
        f"its packages have {human_size(needed)} before they are unpacked"
    )
    return StorageError(msg)


class Teller:
    """Tells how far an environment is, twice a second at most."""

    def __init__(self, known: BroughtEnvironments, record: str) -> None:
        self._known = known
        self._record = record
        self._told_at = 0.0

    def tell(self, view: BuildProgress) -> None:
        """Note what runs of a build that is being brought."""
        running = [step for step in view["steps"] if step["state"] == "running"]
        if running:
            self._tell(Coming(running[-1]["name"], running[-1]["done"], running[-1]["total"]))

    def fetched(self, done: int, total: int) -> None:
        """Note how many bytes of packages have come from the store elsewhere, of how many."""
        self._tell(Coming(FETCH, done, total))

    def _tell(self, coming: Coming) -> None:
        if time.monotonic() - self._told_at > TELL_SECONDS:
            self._told_at = time.monotonic()
            self._known.tell(self._record, coming)


def make_room(store: Store, known: BroughtEnvironments, most: int, kept: str = "") -> None:
    """Remove what was not used for the longest time, until all have no more than ``most`` bytes.

    What a process runs from stays, and so does the environment with the record ``kept``.
    """
    config = store.config
    for digest, found in known.least_used():
        if digest == kept:
            continue
        if _bytes_of(config) <= most:
            return
        with known.locked(alone=True):
            if Path(found.prefix).name in prefixes_in_use(config.builds):
                continue
            known.forget(digest)
        with contextlib.suppress(NotFoundError):
            store.environments.delete(found.namespace, found.name, who(), at_once=True)
        store.retention.collect()
        print(f"{found.namespace}/{found.name} was removed, to make room", file=sys.stderr, flush=True)


def _bytes_of(config: StoreConfig) -> int:
    """Return bytes on the disk: of packages, and of what prefixes have beside them."""
    return tree_size(config.packages)[0] + tree_size(config.builds)[1]


def kernel_token(client: ClientConfiguration) -> str:
    """Return what the store elsewhere is asked with: the token of the kernel, or the server's own.

    Raises
    ------
    RemoteStoreUnavailableError
        There is none.
    """
    own = Credential(client.url, client.token_file, Logins(default_file()), client.with_hub_token)
    return os.environ.get(KERNEL_VARIABLE, "") or own.token()
