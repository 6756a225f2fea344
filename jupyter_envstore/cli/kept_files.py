"""Files of a build's packages, taken from the store elsewhere that keeps them, before the build is brought."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from jupyter_envstore.builds.cache_lock import caches_in_use
from jupyter_envstore.engine.cache_claims import packages_claimed
from jupyter_envstore.engine.cache_filling import CacheFilling
from jupyter_envstore.engine.package_cache import in_cache
from jupyter_envstore.remote.client_configuration import ClientConfiguration
from jupyter_envstore.remote.kept_packages import RemotePackages, WantedFile
from jupyter_envstore.services.store import EnvStore
from jupyter_envstore.services.values import BuildRef
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.wording import human_size

if TYPE_CHECKING:
    from jupyter_envstore.blobs.interface import BlobWriter


class KeptFiles:
    """The files of the packages of one build: conda packages go into the cache, wheels into the store of this machine.

    Parameters
    ----------
    store : EnvStore
        The store of this machine, which has the record of the build.
    client : ClientConfiguration
        The store elsewhere.
    token : callable
        Returns what it is asked with.
    reference : BuildRef
        The build.
    told : callable
        Told how many bytes have come, of how many.
    """

    def __init__(
        self,
        store: EnvStore,
        client: ClientConfiguration,
        token: Callable[[], str],
        reference: BuildRef,
        told: Callable[[int, int], None],
    ) -> None:
        self._store = store
        self._client = client
        self._token = token
        self._told = told
        self._cache = store.config.packages / "conda"
        self._lock = store.records.read(reference.id).lock(current_subdir())

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody take the packages out of the cache, or put others of these names into it.

        Raises
        ------
        StorageError
            No space left, or the store is read-only.
        """
        with caches_in_use(self._store.config), packages_claimed(self._lock.conda, self._cache):
            yield

    @property
    def size(self) -> int:
        """Bytes of all packages, as they are packed."""
        return self._lock.size

    def fetch(self) -> int:
        """Take what is kept there and not here yet; return how many files came.

        Raises
        ------
        OSError
            They cannot be written.
        """
        records = {
            record["sha256"]: record
            for record in self._lock.conda
            if record.get("sha256") and not in_cache(record, self._cache)
        }
        wanted = [WantedFile.of_package(record) for record in records.values()]
        wanted += [
            WantedFile.of_wheel(wheel) for wheel in self._lock.pip if "wheel" not in wheel
        ]  # else with the record
        wanted = [file for file in wanted if not self._store.blobs.exists(file.digest)]
        source = RemotePackages(self._client.url, self._token(), self._client.ca_file)
        with CacheFilling(self._cache) as filling:

            def receive(file: WantedFile) -> AbstractContextManager[BlobWriter]:
                record = records.get(file.digest)
                return self._store.blobs.create(file.digest) if record is None else filling.receive(record)

            largest_first = sorted(wanted, key=lambda file: -file.size)
            count, size = source.fetch(largest_first, receive, self._told)
        if count:
            text = f"{count} of {len(wanted)} packages come from the store ({human_size(size)})"
            print(text, file=sys.stderr, flush=True)
        return count
