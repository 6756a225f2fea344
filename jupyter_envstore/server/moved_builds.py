"""Builds of other stores, added by their records."""

from __future__ import annotations

import re
from datetime import date, timedelta

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.server.notebooks import MAX_NOTEBOOK
from jupyter_envstore.services.values import MovedBuild

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class MovedBuildHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/record/``"""

    max_body = MAX_NOTEBOOK

    async def post(self, namespace: str, name: str) -> None:
        """Add a build of another store to the environment, by its record; one that is there already stays as it is."""
        self.check_place(namespace, name)
        self.require("environment:create", namespace, name)
        fields = ("envstore", "accept", "built_on", "later", "active", "specification")
        body = self.json_body(fields, ("envstore", "built_on"))
        built_on = self.field(body, "built_on", str, "")
        if not DAY.fullmatch(built_on) or not _is_past(built_on):
            msg = "'built_on' must be a day that has been, such as 2026-01-31"
            raise InvalidInputError(msg)
        await self.require_namespace(namespace)
        moved = MovedBuild(
            built_on,
            self.field(body, "later", bool, True),
            self.field(body, "active", bool, False),
            self.field(body, "specification", str, ""),
        )
        place, accepted = (namespace, name), self.addresses(body, "accept") or []
        add = self.store.moved_builds.add
        found = await self.context.threads.run_slowly(add, body["envstore"], place, self.identity.name, accepted, moved)
        words = "build added" if found.is_new else "the environment has this build already"
        self.answer({"build_id": found.id, "is_new": found.is_new}, words, 201 if found.is_new else 200)


def _is_past(day: str) -> bool:
    """Whether a day has been, somewhere on earth."""
    try:
        return date.fromisoformat(day) <= date.today() + timedelta(days=1)
    except ValueError:
        return False


ROUTES = [("environment/{namespace}/{name}/record/", MovedBuildHandler)]
