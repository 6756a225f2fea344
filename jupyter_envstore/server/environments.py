"""Environments: listed, shown, changed, cloned, deleted."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any, TypedDict

from jupyter_envstore.database.paging import Filters, Page
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_envstore.policy.artifact_kinds import artifact_kinds, artifact_name
from jupyter_envstore.representation import conda_store
from jupyter_envstore.representation.conda_store_types import EnvironmentJson
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.server.request_reader import MAX_PAGE
from jupyter_envstore.spec.names import split_place

STREAMED = 500
"""Rows that are written at a time where all are asked for."""


NEVER_MADE = ("DOCKER_BLOB", "CONTAINER_REGISTRY")
"""Artifacts that conda-store's clients ask for, and that no build here has: images are made of their manifest."""


def read_filters(handler: EnvStoreHandler) -> Filters:
    """Return what the query narrows a listing of environments or builds to.

    Raises
    ------
    InvalidInputError
        An artifact or a status is not known, or there are too many packages.
    """
    artifact = handler.text_argument("artifact")
    kind = {"DIRECTORY": "prefix"}.get(artifact, artifact_name(artifact))
    if kind and kind not in (*artifact_kinds(), "logs", "prefix") and artifact not in NEVER_MADE:
        known = ", ".join((*(each.wire_name for each in artifact_kinds().values()), "LOGS", "DIRECTORY"))
        msg = f"artifact {artifact[:60]!r} is not known; known: {known}"
        raise InvalidInputError(msg)
    packages = tuple(name for name in handler.get_query_arguments("packages") if name)
    if len(packages) > 50:
        msg = "at most 50 packages can be asked for"
        raise InvalidInputError(msg)
    namespace, name = split_place(handler.text_argument("namespace"), handler.text_argument("name"))
    return Filters(
        visible=handler.identity.visible(),
        search=handler.text_argument("search"),
        namespace=namespace,
        name=name,
        status=handler.status_argument(),
        packages=packages,
        artifact=kind,
    )


class Presence(TypedDict):
    """Whether an environment of a store elsewhere is on this machine, or how far it is: here, away or coming."""

    state: str
    step: str
    done: int
    total: int
    failure: str


class EnvironmentAnswer(EnvironmentJson):
    """An environment with its kernels on this server, or why it has none; both are empty until it was looked.

    ``presence`` is None where the store is this server's own.
    """

    presence: Presence | None

    kernels: list[str]
    kernel_note: str | None
    languages: list[str]


async def rows_with_kernels(
    handler: EnvStoreHandler, filters: Filters, page: Page
) -> tuple[int, list[EnvironmentAnswer]]:
    """Return a page of environments, each with its kernels on this server, or why it has none."""
    count, data = await handler.run(handler.store.environments.page, handler.identity, filters, page)
    return count, [with_kernels(handler, row) for row in data]


def with_kernels(handler: EnvStoreHandler, row: EnvironmentJson) -> EnvironmentAnswer:
    """Return an environment with its kernels."""
    state = handler.context.access.kernels.state(row["id"])
    looked = state.built or not row["active"]
    return {
        **row,
        "kernels": list(state.ids),
        "kernel_note": (looked and state.reason) or None,
        "languages": list(state.languages),
        "presence": None,
    }


class EnvironmentsHandler(EnvStoreHandler):
    """``environment/``"""

    async def get(self) -> None:
        """List them: a page, or all where the query names no page, as conda-store's client expects."""
        filters, page = read_filters(self), self.page()
        if any(self.get_query_argument(key, None) is not None for key in ("page", "size", "limit", "cursor")):
            count, data = await rows_with_kernels(self, filters, page)
            self.answer_page(count, data, page)
            return
        await self._stream(filters, page)

    async def _stream(self, filters: Filters, page: Page) -> None:
        page = replace(page, size=STREAMED)
        count, data = await rows_with_kernels(self, filters, page)
        self.set_header("Content-Type", "application/json")
        self.write(f'{{"status": "ok", "page": 1, "size": {max(count, 1)}, "count": {count}, "data": [')
        sent = 0
        while data:
            self.write((", " if sent else "") + json.dumps(data)[1:-1])
            if await self.moved_on():
                return
            sent += len(data)
            if sent >= count:
                break
            page = replace(page, number=page.number + 1)
            _, data = await rows_with_kernels(self, filters, page)
        self.write("]}")
        self.finish()


class CursorEnvironmentsHandler(EnvStoreHandler):
    """``/api/v2/environment/``: the same by cursor."""

    async def get(self) -> None:
        """List the environments behind ``cursor``."""
        filters = read_filters(self)
        limit = self.whole_number("limit", MAX_PAGE, 1, MAX_PAGE)
        base = self.page()
        keys = tuple(dict.fromkeys(base.sort_by)) or ("namespace", "name")
        after: tuple[Any, ...] = ()
        cursor = self.text_argument("cursor", 4000)
        if cursor:
            last_id, values = conda_store.read_cursor(cursor)
            if last_id is not None:
                if set(values) != set(keys) - {"id"}:
                    msg = "the cursor belongs to another order; ask without one first"
                    raise InvalidInputError(msg)
                after = (*(last_id if key == "id" else values[key] for key in keys), last_id)
        page = Page(1, limit + 1, keys, base.descending, after)
        count, data = await rows_with_kernels(self, filters, page)
        more, data = len(data) > limit, data[:limit]
        place = conda_store.write_cursor(None, None)
        if more:
            last = data[-1]
            names = {"namespace": last["namespace"]["name"].lower(), "name": last["name"].lower()}
            place = conda_store.write_cursor(last["id"], {key: names[key] for key in keys if key != "id"})
        self.finish(json.dumps({"status": "ok", "data": data, "cursor": place, "count": count}))


class EnvironmentHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/``"""

    async def get(self, namespace: str, name: str) -> None:
        """Show one."""
        self.check_place(namespace, name)
        self.require("environment::read", namespace, name)
        row = await self.run(self.store.environments.get, self.identity, namespace, name)
        self.answer(with_kernels(self, row))

    async def put(self, namespace: str, name: str) -> None:
        """Make another build active, or change the description."""
        self.check_place(namespace, name)
        self.require("environment::update", namespace, name)
        body = self.json_body(("build_id", "description"))
        build_id = self.field(body, "build_id", int, 0)
        description = body.get("description")
        if description is not None and (not isinstance(description, str) or len(description) > 10_000):
            msg = "'description' must be text with at most 10000 characters"
            raise InvalidInputError(msg)
        if description is not None and re.search(r"[\x00-\x08\x0b-\x1f\x7f]", description):
            msg = "'description' holds a character that cannot be shown"
            raise InvalidInputError(msg)
        who = self.identity.name
        if not body and await self.run(self.store.images.environment_id, namespace, name) is None:
            msg = f"there is no environment {namespace}/{name}"
            raise NotFoundError(msg)
        if body.get("build_id") is not None:
            await self.run(self.store.environments.activate_id, namespace, name, build_id, who)
        if description is not None:
            await self.run(self.store.environments.describe, namespace, name, description, who)
        self.acknowledge()

    async def delete(self, namespace: str, name: str) -> None:
        """Delete one with all its builds; what runs is stopped. For ten minutes it can come back, but with ``now``."""
        self.check_place(namespace, name)
        self.require("environment::delete", namespace, name)
        now = self.flag("now")
        await self.run(self.store.environments.delete, namespace, name, self.identity.name, now)
        self.acknowledge(f"environment {namespace}/{name} deleted")


class UndeleteHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/undelete/``"""

    async def post(self, namespace: str, name: str) -> None:
        """Bring back the environment of this name that was deleted in the last ten minutes."""
        self.check_place(namespace, name)
        self.require("environment::delete", namespace, name)
        count = await self.run(self.store.environments.undelete, namespace, name, self.identity.name)
        self.answer({"builds": count}, f"environment {namespace}/{name} is back")


class CloneHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/clone/``"""

    async def post(self, namespace: str, name: str) -> None:
        """Build the same lock under another name: no version changes."""
        self.check_place(namespace, name)
        self.require("environment::read", namespace, name)
        body = self.json_body(("namespace", "name", "build_id"), ("name",))
        space, new_name = self.place_field(body, "name")
        target = space or namespace
        self.check_place(target, new_name)
        self.require("environment:create", target, new_name)
        await self.require_namespace(target)
        build_id = self.field(body, "build_id", int, 0) or None
        source, who = (namespace, name, build_id), self.identity.name
        found = await self.context.threads.run_slowly(self.store.builds.clone, source, (target, new_name), who)
        self.answer({"build_id": found.id}, "clone triggered", 201)


class BringHandler(EnvStoreHandler):
    """``environment/{namespace}/{name}/bring/``"""

    async def post(self, namespace: str, name: str) -> None:
        """Say that there is nothing to bring: a server that is a client of a store answers by itself."""
        self.check_place(namespace, name)
        self.require("environment::read", namespace, name)
        msg = "environments are on the machine of the store; a Jupyter server that is its client brings them to its own"
        raise ConflictError(msg)


ROUTES = [
    ("environment/", EnvironmentsHandler),
    ("environment/{namespace}/{name}/", EnvironmentHandler),
    ("environment/{namespace}/{name}/bring/", BringHandler),
    ("environment/{namespace}/{name}/clone/", CloneHandler),
    ("environment/{namespace}/{name}/undelete/", UndeleteHandler),
]
CURSOR_ROUTES = [("environment/", CursorEnvironmentsHandler)]
