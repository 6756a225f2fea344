"""Builds: listed, shown, repeated, canceled, restored, compared, deleted."""

from __future__ import annotations

from dataclasses import replace

from jupyter_envstore.database.states import stopped_words
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.server.environments import read_filters
from jupyter_envstore.server.request_reader import MAX_ID


class BuildsHandler(EnvStoreHandler):
    """``build/``"""

    async def get(self) -> None:
        """List them."""
        filters, page = read_filters(self), self.page()
        environment_id = self.whole_number("environment_id", 0, 0, MAX_ID)
        filters = replace(filters, environment_id=environment_id or None)
        count, data = await self.run(self.store.builds.page, filters, page)
        self.answer_page(count, data, page)


class BuildHandler(EnvStoreHandler):
    """``build/{build_id}/``"""

    async def get(self, build_id: str) -> None:
        """Show one with its specification and the platforms that it is locked for."""
        number = await self.require_on_build("environment::read", build_id)
        view = await self.run(self.store.builds.get, number)
        self.answer({**view, "locked_platforms": await self.run(self.store.records.locked_platforms, number)})

    async def put(self, build_id: str) -> None:
        """Build the same specification again."""
        number = await self.require_on_build("environment::update", build_id)
        self.json_body(())
        found = await self.run(self.store.builds.rebuild, number, self.identity.name)
        self.answer({"build_id": found.id}, "rebuild triggered")

    async def delete(self, build_id: str) -> None:
        """Delete one that is not active and does not run."""
        number = await self.require_on_build("build::delete", build_id)
        await self.run(self.store.builds.delete, number, self.identity.name)
        self.acknowledge()


class CancelHandler(EnvStoreHandler):
    """``build/{build_id}/cancel/``"""

    async def put(self, build_id: str) -> None:
        """Stop one that is queued or runs."""
        number = await self.require_on_build("build::cancel", build_id)
        self.json_body(())
        kinds = await self.run(self.store.builds.cancel, number, self.identity.name)
        self.answer({"stopped": kinds}, f"{stopped_words(kinds, f'build {number}')} canceled")


class RestoreHandler(EnvStoreHandler):
    """``build/{build_id}/restore/``"""

    async def get(self, build_id: str) -> None:
        """Say where each package of a restore would come from, and which it would miss."""
        number = await self.require_on_build("environment::read", build_id)
        self.answer(await self.context.threads.run_slowly(self.store.prefixes.restore_sources, number))

    async def post(self, build_id: str) -> None:
        """Bring the prefix of a build back that was packed away."""
        number = await self.require_on_build("environment::update", build_id)
        self.json_body(())
        await self.run(self.store.prefixes.restore, number, self.identity.name)
        self.acknowledge("restore triggered", 202)


class PinHandler(EnvStoreHandler):
    """``build/{build_id}/pin/``"""

    async def put(self, build_id: str) -> None:
        """Keep one for good (``pinned``), or let the retention settings decide again."""
        number = await self.require_on_build("environment::update", build_id)
        body = self.json_body(("pinned",), ("pinned",))
        await self.run(self.store.prefixes.pin, number, self.field(body, "pinned", bool, True), self.identity.name)
        self.acknowledge()


class KeepHandler(EnvStoreHandler):
    """``build/{build_id}/keep/``"""

    async def get(self, build_id: str) -> None:
        """Say whether the files of its packages are kept, and which could not be had."""
        number = await self.require_on_build("environment::read", build_id)
        self.answer(await self.run(self.store.packages.kept, number))

    async def put(self, build_id: str) -> None:
        """Keep the files of its packages in the store, or let them go."""
        number = await self.require_on_build("environment::update", build_id)
        body = self.json_body(("packages",), ("packages",))
        wanted = self.field(body, "packages", bool, True)
        await self.run(self.store.packages.keep, number, wanted, self.identity.name)
        self.answer(await self.run(self.store.packages.kept, number), status=202 if wanted else 200)


class PackAwayHandler(EnvStoreHandler):
    """``build/{build_id}/pack-away/``"""

    async def post(self, build_id: str) -> None:
        """Drop the prefix and large artifacts of one that is not active; ``restore/`` brings it back."""
        number = await self.require_on_build("build::delete", build_id)
        self.json_body(())
        await self.context.threads.run_slowly(self.store.prefixes.pack_away, number, self.identity.name)
        self.acknowledge()


class AboutHandler(EnvStoreHandler):
    """``build/{build_id}/about/{package}/``"""

    async def get(self, build_id: str, package: str) -> None:
        """Say what a package of a build says of itself: summary, licence, home page."""
        number = await self.require_on_build("environment::read", build_id)
        manager = self.text_argument("manager") or "conda"
        self.answer(await self.run(self.store.packages.about, number, package, manager))


class KernelHandler(EnvStoreHandler):
    """``build/{build_id}/kernel/``"""

    async def post(self, build_id: str) -> None:
        """Let a build that is not active have kernels of its own; tell their ids."""
        number = await self.require_on_build("environment::read", build_id)
        self.require_login()
        self.json_body(())
        self.answer({"kernels": list(await self.run(self.context.access.kernels.offer, number))})


class PackagesHandler(EnvStoreHandler):
    """``build/{build_id}/packages/``"""

    async def get(self, build_id: str) -> None:
        """List the packages of a build."""
        number = await self.require_on_build("environment::read", build_id)
        page = self.page()
        search, build = self.text_argument("search"), self.text_argument("build")
        count, data = await self.run(self.store.packages.page, number, search, self.flag("exact"), build, page)
        self.answer_page(count, data, page)


class ContentsHandler(EnvStoreHandler):
    """``build/{build_id}/contents/``"""

    async def get(self, build_id: str) -> None:
        """List all packages of a build, what was asked for, and what needs the others."""
        number = await self.require_on_build("environment::read", build_id)
        self.answer(await self.run(self.store.packages.of_build, number))


class ProgressHandler(EnvStoreHandler):
    """``build/{build_id}/progress/``"""

    async def get(self, build_id: str) -> None:
        """Show the steps of a build."""
        number = await self.require_on_build("environment::read", build_id)
        self.answer(await self.run(self.store.builds.progress, number))


class DiffHandler(EnvStoreHandler):
    """``build/{build_id}/diff/{other_id}/``"""

    async def get(self, build_id: str, other_id: str) -> None:
        """Say what changed from one build to the other."""
        first = await self.require_on_build("environment::read", build_id)
        second = await self.require_on_build("environment::read", other_id)
        self.answer(await self.run(self.store.packages.diff, first, second))


ROUTES = [
    ("build/", BuildsHandler),
    ("build/{build_id}/", BuildHandler),
    ("build/{build_id}/cancel/", CancelHandler),
    ("build/{build_id}/restore/", RestoreHandler),
    ("build/{build_id}/pin/", PinHandler),
    ("build/{build_id}/keep/", KeepHandler),
    ("build/{build_id}/pack-away/", PackAwayHandler),
    ("build/{build_id}/about/{package}/", AboutHandler),
    ("build/{build_id}/kernel/", KernelHandler),
    ("build/{build_id}/packages/", PackagesHandler),
    ("build/{build_id}/contents/", ContentsHandler),
    ("build/{build_id}/progress/", ProgressHandler),
    ("build/{build_id}/diff/{other_id}/", DiffHandler),
]
