"""The build of this machine that has the record of a build elsewhere; it is added where there is none."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_envstore.cli.common import who
from jupyter_envstore.client import EnvStore as Client
from jupyter_envstore.client import EnvStoreClientError
from jupyter_envstore.database.states import COMPLETED, UNSETTLED
from jupyter_envstore.errors import (
    BuildFailedError,
    ConflictError,
    NotFoundError,
    RemoteStoreUnavailableError,
    SpecificationError,
    UnknownPlacesError,
)
from jupyter_envstore.notebooks.bond import Bond
from jupyter_envstore.notebooks.bond_reader import embedded_record, read_bond
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.kept_packages import RemotePackages, WantedFile
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec.names import check_name

CERTIFICATES = "SSL_CERT_FILE"


@dataclass(frozen=True)
class RecordElsewhere:
    """The record of a build elsewhere.

    Parameters
    ----------
    client : ClientConfiguration
        The store elsewhere.
    token : callable
        Returns what it is asked with.
    digest : str
        SHA-256 of the record.
    place : tuple of str
        Namespace and name of the environment there.
    build_id : int
        Id of the build there.
    """

    client: ClientConfiguration
    token: Callable[[], str]
    digest: str
    place: tuple[str, str]
    build_id: int

    @property
    def own_place(self) -> tuple[str, str]:
        """Namespace and name that the environment has here: each of its builds is one of its own."""
        name = f"{self.place[1][:40]}-{self.digest[:12]}"
        check_name("environment", name)
        return self.place[0], name

    def bond(self) -> Bond:
        """Return what the store elsewhere says of the build, with its record.

        Raises
        ------
        RemoteStoreUnavailableError
            It does not answer, or refuses.
        SpecificationError
            It gives another record.
        """
        try:
            with _certificates(self.client.ca_file):
                told = Client(self.client.url, self.token()).bond("/".join(self.place), self.build_id, lock=True)
        except EnvStoreClientError as error:
            login = f"; log in again: jupyter envstore login {self.client.url}" if error.status == 401 else ""
            msg = f"{error}{login}"
            raise RemoteStoreUnavailableError(msg) from None
        if told.get("record") != f"sha256:{self.digest}":
            msg = f"the store at {self.client.url} gives another record than it told of; try again"
            raise SpecificationError(msg)
        return read_bond(told)


def recorded_build(store: EnvStore, wanted: RecordElsewhere) -> BuildRef:
    """Return the build here that has a record; it is added where there is none.

    Its addresses are accepted: whoever names the store of this server trusts it.

    Raises
    ------
    EnvStoreError
        The record cannot be had, or not be used.
    """
    target = wanted.own_place
    if (found := _usable(store, target)) is not None:
        return found
    bond = wanted.bond()
    wheels = _wheels(store, wanted, bond)
    places: list[str] = []
    for later in (True, True, False, False):  # wheels of sources may have to be built first, and places be accepted
        try:
            added = store.bonds.build_lock(bond, target, who(), places, later, wheels)
            return added if later else _built(store, added)
        except UnknownPlacesError as error:
            places = list(error.places)
        except ConflictError:  # another process was first; or wheels have to be built first
            if (found := _usable(store, target)) is not None:
                return found
    msg = f"the environment cannot be added as {'/'.join(target)}; try again"
    raise ConflictError(msg)


def _usable(store: EnvStore, target: tuple[str, str]) -> BuildRef | None:
    """Return the build of an earlier attempt, once it is ready; None where there is none, or it failed.

    Raises
    ------
    BuildFailedError
        It fails now.
    """
    try:
        found = store.builds.find(*target)
        status = store.builds.progress(found.id)["status"]
    except NotFoundError:
        return None
    if status in UNSETTLED:
        return _built(store, found)
    return found if status == COMPLETED else None


def _wheels(store: EnvStore, wanted: RecordElsewhere, bond: Bond) -> Collection[str]:
    """Take the wheels that were built from sources from the store elsewhere; return the SHA-256 of those that came."""
    record = embedded_record(bond, allow_local_files=True)
    wheels = record.wheels if record is not None else []
    files = [WantedFile.of_wheel(wheel) for wheel in wheels]
    if files:
        RemotePackages(wanted.client.url, wanted.token(), wanted.client.ca_file).fetch_into(store.blobs, files)
    return {file.digest for file in files if store.blobs.exists(file.digest)}


def _built(store: EnvStore, reference: BuildRef) -> BuildRef:
    """Wait for a build that makes wheels of source archives, so that it has a record of its own.

    Raises
    ------
    BuildFailedError
        It failed.
    """
    while True:
        store.scheduler.tick()
        view = store.builds.progress(reference.id)
        if view["status"] == COMPLETED:
            return reference
        if view["status"] not in UNSETTLED:
            raise BuildFailedError(view["reason"] or f"{reference} is {view['status']}")
        time.sleep(store.poll_seconds)


@contextlib.contextmanager
def _certificates(file: str) -> Iterator[None]:
    """Let a store be known by the certificates of a file, too, meanwhile."""
    if not file:
        yield
        return
    before = os.environ.get(CERTIFICATES)
    known = before or ssl.get_default_verify_paths().cafile
    with tempfile.NamedTemporaryFile("wb", prefix="envstore-", suffix=".pem") as both:
        for path in filter(None, (known, file)):
            both.write(Path(path).read_bytes() + b"\n")
        both.flush()
        os.environ[CERTIFICATES] = both.name
        try:
            yield
        finally:
            os.environ.pop(CERTIFICATES)
            if before is not None:
                os.environ[CERTIFICATES] = before
