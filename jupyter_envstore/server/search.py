"""Packages of channels: names that begin so, versions of one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.representation import conda_store
from jupyter_envstore.server.base import EnvStoreHandler

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jupyter_envstore.spec.lock_entries import CondaEntry

MOST_NAMES = 50
"""How many names that begin so are looked up with their versions."""
PACKAGE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
SORTED = ("name", "version", "build", "channel")


class SearchHandler(EnvStoreHandler):
    """``search/{package}/``"""

    async def get(self, package: str) -> None:
        """List the versions of a name, or the names that a pattern with ``*`` matches."""
        channels = [*self.get_query_arguments("channel"), *self.get_query_arguments("channels")]
        self.require_for(channels)
        found = await self.context.solver.search(self.gone, package, channels, self.text_argument("platform") or None)
        self.answer([conda_store.found_package_json(record) for record in found])

    def require_for(self, channels: Sequence[str]) -> None:
        """Refuse who is not known and was given nothing; where channels are named, who may solve nowhere.

        A channel is an address that this server then opens.
        """
        if not self.identity.bindings:
            self.require_login()
        if channels:
            self.require_somewhere("environment::solve")


class NewestHandler(SearchHandler):
    """``newest/``"""

    async def get(self) -> None:  # type: ignore[override]
        """Show the newest package of each ``name`` of the query."""
        names, channels = self.get_query_arguments("name"), self.get_query_arguments("channel")
        self.require_for(channels)
        if not names or len(names) > MOST_NAMES or not all(PACKAGE_NAME.fullmatch(name) for name in names):
            msg = f"name each package as it stands in a channel: 1 to {MOST_NAMES} times name="
            raise InvalidInputError(msg)
        found = await self.context.solver.newest(self.gone, [name.lower() for name in names], channels)
        self.answer([conda_store.found_package_json(record) for record in found])


class PackageHandler(SearchHandler):
    """``package/``: conda-store's search."""

    async def get(self) -> None:  # type: ignore[override]
        """List packages whose name is, or begins with, ``search``."""
        self.require_for(())
        search, build, page = self.text_argument("search", 200), self.text_argument("build"), self.page()
        exact = self.flag("exact")
        distinct = self.get_query_arguments("distinct_on")
        for key in (*distinct, *page.sort_by):
            if key not in SORTED:
                msg = f"{key[:60]!r} is not known; known: {', '.join(SORTED)}"
                raise InvalidInputError(msg)
        found: list[CondaEntry] = []
        if search:
            pattern, most = (search, 0) if exact else (f"{search}*", MOST_NAMES)
            found = await self.context.solver.search(self.gone, pattern, [], None, most)
        found = [record for record in found if build in (record.get("build") or "")]
        keys = list(page.sort_by) or ["name"]
        found.sort(key=lambda record: tuple(str(record.get(key) or "") for key in keys), reverse=page.descending)
        if distinct:
            found = list({tuple(record.get(key) for key in distinct): record for record in reversed(found)}.values())[
                ::-1
            ]
        size = page.size or len(found)
        part = found[(page.number - 1) * size : page.number * size]
        self.answer_page(len(found), [conda_store.found_package_json(record) for record in part], page)


class ChannelHandler(EnvStoreHandler):
    """``channel/``"""

    async def get(self) -> None:
        """List the channels that specifications get where they name none, and those that are allowed."""
        settings = await self.run(self.store.settings.effective, ())
        names = dict.fromkeys([*settings["conda_default_channels"], *settings["conda_allowed_channels"]])
        data = [{"id": place, "name": name, "last_update": None} for place, name in enumerate(names, 1)]
        body = {"status": "ok", "data": data, "page": 1, "size": max(len(data), 1), "count": len(data)}
        self.finish(json.dumps(body))


ROUTES = [
    ("search/{package}/", SearchHandler),
    ("newest/", NewestHandler),
    ("package/", PackageHandler),
    ("channel/", ChannelHandler),
]
