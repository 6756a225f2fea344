"""Changes of the store for clients that follow them: each is told of what it may see, within the second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from jupyter_envstore.services.changed_things import changed_things

if TYPE_CHECKING:
    from jupyter_envstore.database.changes import ChangedRow, Progress
    from jupyter_envstore.policy.access import Identity
    from jupyter_envstore.services.values import FollowedThings


class ChangeFollower:
    """What one client is to be told next; what it has not taken yet is put together.

    Parameters
    ----------
    identity : Identity
        Who follows. What they may see is decided by it for as long as they follow.
    """

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._changed: list[ChangedRow] = []
        self._progressing: set[int] = set()
        self._revision = self._known = 0
        self._woken = asyncio.Event()

    def note(self, revision: int, changed: Iterable[ChangedRow], progressing: Iterable[Progress]) -> None:
        """Take over what happened, where the client may see it."""
        rows = [row for row in changed if self._may_see(row.namespace, row.name)] if revision > self._known else []
        builds = {build.build_id for build in progressing if self._may_see(build.namespace, build.name)}
        if not rows and not builds:
            return
        self._changed = [*_without(self._changed, rows), *rows]
        self._progressing |= builds
        self._revision = revision
        self._woken.set()

    def begin_at(self, revision: int) -> None:
        """Leave out what changed up to a revision: the client knows it."""
        self._known = revision
        if self._revision <= revision:
            self._changed, self._revision = [], revision

    def _may_see(self, namespace: str, name: str) -> bool:
        return self._identity.may("environment::read", namespace, name)

    def wake(self) -> None:
        """Let the one who waits look again, though nothing happened."""
        self._woken.set()

    async def next(self, seconds: float) -> FollowedThings | None:
        """Wait for news; None when there is none after ``seconds``, or the waiting was ended by :meth:`wake`."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except asyncio.TimeoutError:
            return None
        self._woken.clear()
        if not self._changed and not self._progressing:
            return None
        found: FollowedThings = {
            **changed_things(self._revision, self._changed),
            "progress": sorted(self._progressing),
        }
        self._changed, self._progressing = [], set()
        return found


def _without(rows: Iterable[ChangedRow], newer: Iterable[ChangedRow]) -> Iterable[ChangedRow]:
    """Yield rows but for those of things that have a newer one, so that a client that takes none keeps few."""
    again = {(row.environment_id, row.build_id) for row in newer}
    return (row for row in rows if (row.environment_id, row.build_id) not in again)


class ChangeFeed:
    """All clients that follow the changes of the store; to be used on the server's loop alone."""

    def __init__(self) -> None:
        self._followers: set[ChangeFollower] = set()

    def join(self, identity: Identity) -> ChangeFollower:
        """Follow what ``identity`` may see, from now on."""
        follower = ChangeFollower(identity)
        self._followers.add(follower)
        return follower

    def leave(self, follower: ChangeFollower) -> None:
        """Follow no more."""
        self._followers.discard(follower)

    def tell(self, revision: int, changed: Iterable[ChangedRow], progressing: Iterable[Progress]) -> None:
        """Tell all who follow.

        Parameters
        ----------
        revision : int
            The store's newest revision.
        changed : iterable of ChangedRow
            Environments and builds that changed.
        progressing : iterable of Progress
            Builds that went on.
        """
        for follower in self._followers:
            follower.note(revision, changed, progressing)
