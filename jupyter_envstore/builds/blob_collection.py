"""Blobs that nobody needs: found, and removed while others may be about to need them."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.database import retention as queries
from jupyter_envstore.database.blob_references import Confirmed, confirm, removed_of
from jupyter_envstore.database.connection import Database, now

STUCK_SECONDS = 600.0
"""Who began to remove a blob so long ago does it no more; clocks of hosts may differ by some minutes."""
OWN_SECONDS = 60.0
"""How long removals may take that were begun together; what is left then begins anew."""
AT_ONCE = 100
"""How many removals begin together."""
REMEMBERED = timedelta(days=7)
"""How long it is known what was removed: longer than any job takes between storing a blob and needing it."""


def confirmed(database: Database, blobs: BlobStore, digests: Collection[str], patience: float = 0.0) -> Confirmed:
    """Return that some blobs are there, to refer to them; a removal that runs is waited for.

    Parameters
    ----------
    patience : float
        Seconds to wait.

    Raises
    ------
    BlobRemovedError
        One was removed and is not there again, or is being removed all the time.
    """
    deadline = time.monotonic() + patience
    while True:
        with database.read() as session:
            removed = removed_of(session, digests)
        if all(row.is_gone for row in removed) or time.monotonic() >= deadline:
            return confirm(blobs, removed)
        BlobCollection(database, blobs, math.inf).finish_stuck()  # what is there stays: it may be what was just stored
        time.sleep(1.0)


class BlobCollection:
    """Finds and removes blobs that nobody needs.

    Rows and bytes lie in different places, and no transaction holds both. So rows say first what is removed
    (:class:`~jupyter_envstore.database.models.RemovedBlob`), then the bytes go, then the rows say that they are gone.
    Whoever stores a blob, or finds it there, touches it first, and refers to it later: either the removal sees the
    touch, or who refers sees the row and stores the blob again.

    Parameters
    ----------
    grace : float
        Seconds for which a blob stays that was written or touched.
    """

    def __init__(self, database: Database, blobs: BlobStore, grace: float) -> None:
        self._database = database
        self._blobs = blobs
        self._grace = grace

    def find(self) -> Iterator[tuple[StoredBlob, str]]:
        """Yield blobs that nobody needs, each with the reason for which it is there."""
        with self._database.read() as session:
            unneeded = queries.unneeded_blobs(session, now() - timedelta(seconds=self._grace))
            known = queries.all_digests(session)
        for blob in unneeded:
            yield blob, "nobody needs it"
        for blob, age in self._blobs.ages():
            if blob.digest not in known and age > self._grace:
                yield blob, "left by a crash"

    def remove(self, digests: Sequence[str]) -> set[str]:
        """Remove blobs that still nobody needs and that nobody stored again meanwhile; return which.

        What a removal before did not end is removed, too.
        """
        gone = self.finish_stuck()
        wanted = [digest for digest in digests if digest not in gone and not self._is_fresh(digest)]
        for first in range(0, len(wanted), AT_ONCE):
            gone |= self._remove(wanted[first : first + AT_ONCE])
        with self._database.write() as session:
            queries.forget_removals(session, now() - REMEMBERED)
        return gone

    def finish_stuck(self) -> set[str]:
        """End removals that somebody began and did not end; return what is gone."""
        with self._database.read() as session:
            stuck = queries.stuck_removals(session, now() - timedelta(seconds=STUCK_SECONDS))
        return self._remove(stuck) if stuck else set()

    def _remove(self, digests: Collection[str]) -> set[str]:
        began = now()
        with self._database.write() as session:
            free = queries.begin_removals(session, digests, began, began - timedelta(seconds=STUCK_SECONDS))
        gone: set[str] = set()
        stayed = set(free)
        try:
            for digest in free:
                if self._is_fresh(digest) or now() - began > timedelta(seconds=OWN_SECONDS):
                    continue  # it was stored again; or this machine stood still, and another goes on with the removal
                stayed.discard(digest)  # from here on nobody knows, until the bucket has answered
                self._blobs.delete(digest)
                gone.add(digest)
        finally:
            with self._database.write() as session:
                queries.end_removals(session, began, gone, stayed)
        return gone

    def _is_fresh(self, digest: str) -> bool:
        try:
            return self._blobs.age(digest) <= self._grace
        except FileNotFoundError:
            return False
