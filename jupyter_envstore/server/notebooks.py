"""Notebooks: what they remember of their environments, and how they get them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.notebooks.script_block import block_lines, script_with_block
from jupyter_envstore.server.base import EnvStoreHandler

if TYPE_CHECKING:
    from jupyter_envstore.services.values import BuildRef

MAX_NOTEBOOK = 8 * 1024 * 1024
"""Bytes of a body with the metadata of a notebook; a lock of 40 packages has less than 20 kB."""


class BondHandler(EnvStoreHandler):
    """``build/{build_id}/bond/``"""

    async def get(self, build_id: str) -> None:
        """Return what a notebook that runs in a build remembers of it."""
        number = await self.require_on_build("environment::read", build_id)
        self.answer(await self.run(self.store.bonds.of_build, number, self.flag("lock")))


class ScriptBlockHandler(EnvStoreHandler):
    """``build/{build_id}/script-block/``"""

    async def post(self, build_id: str) -> None:
        """Return a text with what a build was asked for as its script block (PEP 723); nothing is kept."""
        number = await self.require_on_build("environment::read", build_id)
        text = self.field(self.json_body(("text",)), "text", str, "")
        requested = await self.context.threads.run_slowly(self.store.script_blocks.requested, number)
        self.answer(
            {
                "text": script_with_block(text, requested) if text else "\n".join(block_lines(requested)),
                "python": requested.python,
                "dependencies": list(requested.dependencies),
                "left_out": list(requested.left_out),
            }
        )


class NotebookHandler(EnvStoreHandler):
    """``notebook/``"""

    max_body = MAX_NOTEBOOK

    async def post(self) -> None:
        """Say what is known here of the environment that a notebook remembers; nothing is kept."""
        self.require_somewhere("environment::read")
        body = self.json_body(("envstore",), ("envstore",))
        self.answer(await self.run(self.store.bonds.look, self.identity, body["envstore"]))


class NotebookElsewhereHandler(EnvStoreHandler):
    """``notebook/elsewhere/``"""

    max_body = MAX_NOTEBOOK

    async def post(self) -> None:
        """Ask the stores that the account is logged in to for the build of a notebook; nothing is kept."""
        self.require_somewhere("environment::read")
        body = self.json_body(("envstore",), ("envstore",))
        self.answer(await self.context.threads.run_afar(self.store.other_stores.look, self.identity, body["envstore"]))


class RecordHandler(EnvStoreHandler):
    """``record/{digest}/``"""

    async def get(self, digest: str) -> None:
        """List the builds that have a build record; with ``lock``, the record as notebooks hold it, too."""
        self.require_somewhere("environment::read")
        self.answer(await self.run(self.store.bonds.of_record, self.identity, digest, self.flag("lock")))


class NotebookBuildHandler(EnvStoreHandler):
    """``notebook/build/``"""

    max_body = MAX_NOTEBOOK

    async def post(self) -> None:
        """Build the lock that a notebook holds, or that another store has of it, in a new environment."""
        self.require_somewhere("environment:create")
        body = self.json_body(("envstore", "namespace", "name", "accept", "store", "later"), ("envstore", "name"))
        space, name = self.place_field(body, "name")
        namespace = space or self.identity.primary_namespace
        self.check_place(namespace, name)
        self.require("environment:create", namespace, name)
        await self.require_namespace(namespace)
        accepted = self.addresses(body, "accept") or []
        threads = self.context.threads
        run = threads.run_afar if body.get("store") else threads.run_slowly
        later = self.field(body, "later", bool, False)
        found = await run(
            self._build, body["envstore"], self.field(body, "store", str, ""), (namespace, name), accepted, later
        )
        self.answer({"build_id": found.id}, "build triggered", 201)

    def _build(
        self, metadata: object, store: str, target: tuple[str, str], accepted: list[str], later: bool
    ) -> BuildRef:
        bond = self.store.other_stores.with_lock(self.identity, metadata, store) if store else metadata
        return self.store.bonds.build_lock(bond, target, self.identity.name, accepted, later)


class ModuleHandler(EnvStoreHandler):
    """``module/{module}/``"""

    async def get(self, module: str) -> None:
        """List the packages that have a module."""
        self.require_somewhere("environment::read")
        language = self.get_query_argument("language", "python")
        if language not in ("python", "r"):
            msg = "language must be python or r"
            raise InvalidInputError(msg)
        found = await self.context.threads.run_slowly(
            self.store.modules.providers, self.identity, module, "r" if language == "r" else "python"
        )
        self.answer(found)


ROUTES = [
    ("build/{build_id}/bond/", BondHandler),
    ("build/{build_id}/script-block/", ScriptBlockHandler),
    ("module/{module}/", ModuleHandler),
    ("notebook/", NotebookHandler),
    ("notebook/build/", NotebookBuildHandler),
    ("notebook/elsewhere/", NotebookElsewhereHandler),
    ("record/{digest}/", RecordHandler),
]
