"""Specifications: submitted, and solved without building."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from jupyter_envstore.builds.options import BuildOptions
from jupyter_envstore.errors import InvalidInputError, PolicyError, SpecificationError
from jupyter_envstore.representation import conda_store
from jupyter_envstore.server.base import EnvStoreHandler
from jupyter_envstore.spec import Specification
from jupyter_envstore.spec.converting.draft import ChoiceError, Pick
from jupyter_envstore.spec.locks import starting_point
from jupyter_envstore.spec.repaired import KEEPABLE, Repaired

if TYPE_CHECKING:
    from jupyter_envstore.representation.packages import PackageChange

MAX_DESCRIPTION = 10_000
MAX_PACKAGE = 1000
MAX_VIRTUAL = 50
MAX_TEXT = 6 * 1024 * 1024
"""Bytes of a body that holds a specification, which may have 4 MB, as JSON text."""


REPAIRING = ("file_name", "repair", "keep", "file_environment", "categories")
"""Fields that say how a file of another kind is read."""
CHOOSING = ("'file_environment'", "'categories'")
"""Those of them that say what is taken of it, as messages name them."""


class ReadingHandler(EnvStoreHandler):
    """What takes a file of any kind, with the choices of what is taken of it."""

    async def read(
        self, body: dict[str, Any], text: str, place: tuple[str, str | None]
    ) -> tuple[Repaired, Specification | SpecificationError]:
        """Return a text as ``repair`` and a choice of the body have it, and what it says or what is wrong with it.

        Raises
        ------
        SpecificationError
            It cannot be repaired.
        """
        keep = self.field(body, "keep", list, [])
        if not all(isinstance(item, str) and item in KEEPABLE for item in keep):
            msg = f"'keep' must be a list of: {', '.join(KEEPABLE)}"
            raise InvalidInputError(msg)
        categories = self.field(body, "categories", list, [])
        if not all(isinstance(item, str) for item in categories):
            msg = "'categories' must be a list of texts"
            raise InvalidInputError(msg)
        pick = Pick(self.field(body, "file_environment", str, ""), tuple(categories))
        file_name = self.field(body, "file_name", str, "")[:200] or "environment.yml"
        if not self.field(body, "repair", bool, False) and pick == Pick():
            try:
                return Repaired(text), await self.context.specifications.read(text, named=place[1] is not None)
            except SpecificationError as error:
                return Repaired(text), error
        settings = await self.run(self.store.settings.near, place)
        repaired: tuple[Repaired, Specification | SpecificationError] = await self.context.specifications.repair(
            text, file_name, settings, keep, pick
        )
        return repaired


class SpecificationsHandler(ReadingHandler):
    """``specification/``"""

    max_body = MAX_TEXT

    async def post(self) -> None:
        """Build a specification; always a new build."""
        self.require_somewhere("environment:create", self._named_place)
        fields = (
            "namespace",
            "specification",
            "is_lockfile",
            "environment_name",
            "environment_description",
            *REPAIRING,
            "exclude_newer",
            "virtual_packages",
            "all_platforms",
            "is_new",
            "accept",
        )
        body = self.json_body(fields, ("specification",))
        accepted = self.addresses(body, "accept")
        is_new = self.field(body, "is_new", bool, False)
        space, given = self.place_field(body, "environment_name")
        namespace, name = space or self.identity.primary_namespace, given or None
        text = self.field(body, "specification", str, "")
        self.check_place(namespace, name)
        options = self._options(body)
        try:
            repaired, specification = await self.read(body, text, (namespace, name))
        except ChoiceError as error:
            raise error.with_ways_out(*CHOOSING) from None
        if isinstance(specification, SpecificationError):
            raise specification
        if not options.exclude_newer and repaired.exclude_newer:
            options = replace(options, exclude_newer=repaired.exclude_newer)
        if body.get("is_lockfile") is not None and self.field(body, "is_lockfile", bool, False) != (
            specification.lockfile is not None
        ):
            msg = "is_lockfile does not fit: the specification is " + (
                "a lockfile" if specification.lockfile is not None else "no lockfile"
            )
            raise InvalidInputError(msg)
        name = name or specification.name
        if not name:
            msg = "the environment has no name: put 'name:' into the specification, or send 'environment_name'"
            raise InvalidInputError(msg)
        self.check_place(namespace, name)
        self.require("environment:create", namespace, name)
        await self.require_namespace(namespace)
        description = self.field(body, "environment_description", str, "")
        if len(description) > MAX_DESCRIPTION:
            msg = f"'environment_description' has more than {MAX_DESCRIPTION} characters"
            raise InvalidInputError(msg)
        who = self.identity.name
        found = await self.context.threads.run_slowly(
            self.store.builds.submit,
            specification,
            namespace,
            name,
            who,
            options=options,
            is_new=is_new,
            accepted=accepted,
        )
        if description:
            await self.run(self.store.environments.describe, namespace, name, description, self.identity.name)
        notes = [*(change.what for change in repaired.changes), *found.notes]
        self.answer({"build_id": found.id, "notes": notes}, "; ".join(notes) or None)

    def _named_place(self) -> tuple[str, str]:
        """Return the place that a request names which is refused; the own one where it cannot be read."""
        own = self.identity.primary_namespace, "*"
        if not self.identity.authenticated:
            return own  # nothing is read for who is not known
        try:
            space, name = self.place_field(self.json_body(), "environment_name")
            self.check_place(space or own[0], name or None)
        except InvalidInputError:
            return own
        return space or own[0], name or "*"

    def _options(self, body: dict[str, Any]) -> BuildOptions:
        """Return the choices for this build alone.

        Raises
        ------
        InvalidInputError
            One cannot be used.
        """
        packages = self.field(body, "virtual_packages", list, [])
        if len(packages) > MAX_VIRTUAL or not all(isinstance(item, str) for item in packages):
            msg = f"'virtual_packages' must be a list of at most {MAX_VIRTUAL} texts"
            raise InvalidInputError(msg)
        newest, is_strict = self.field(body, "exclude_newer", str, ""), self.field(body, "all_platforms", bool, False)
        options = BuildOptions(newest, tuple(packages), is_strict)
        options.check()
        return options

    async def get(self) -> None:
        """Solve packages of the query, as conda-store's client asks for it (``channels`` and ``channel`` alike)."""
        self.require_somewhere("environment::solve")
        channels = [*self.get_query_arguments("channel"), *self.get_query_arguments("channels")]
        conda, pip = self.get_query_arguments("conda"), self.get_query_arguments("pip")
        form = self.text_argument("format") or "yaml"
        if form not in ("yaml", "lockfile"):
            msg = f"format {form[:60]!r} must be yaml or lockfile"
            raise InvalidInputError(msg)
        if not conda and not pip:
            msg = "name what is to be installed: conda= or pip="
            raise InvalidInputError(msg)
        text = json.dumps({"channels": channels, "dependencies": [*conda, *([{"pip": pip}] if pip else [])]})
        specification = await self.context.specifications.read(text)
        await self.run(self.store.channels.check, specification.channels, specification.dependencies)
        solved = await self.context.solver.solve(self.gone, specification)
        message = f"what is needed from PyPI ({', '.join(pip)[:200]}) is found when it is built" if pip else None
        found = [conda_store.found_package_json(record) for record in solved["packages"]]
        self.finish(json.dumps({"solve": found, "message": message}))


class SolvingHandler(ReadingHandler):
    """What looks at a specification for a place, where somebody may solve, and keeps nothing."""

    max_body = MAX_TEXT

    def place_to_solve(self, body: dict[str, Any]) -> tuple[str, str | None]:
        """Return the namespace and environment that a body names, and refuse who may not solve there."""
        space, given = self.place_field(body, "environment")
        namespace, name = space or self.identity.primary_namespace, given or None
        self.check_place(namespace, name)
        self.require("environment::solve", namespace, name or "*")
        return namespace, name


class CheckHandler(SolvingHandler):
    """``specification/check/``"""

    async def post(self) -> None:
        """Say what is wrong with a text, what it says, and with ``repair`` how it would be repaired."""
        self.require_somewhere("environment::solve")
        fields = ("specification", "namespace", "environment", *REPAIRING)
        body = self.json_body(fields, ("specification",))
        namespace, name = self.place_to_solve(body)
        text = self.field(body, "specification", str, "")
        repaired = Repaired(text)
        try:
            repaired, read = await self.read(body, text, (namespace, name))
        except ChoiceError as error:
            repaired, read = Repaired(text, offer=error.offer), error
        except SpecificationError as error:
            read = error
        found = read if isinstance(read, Specification) else None
        faults = list(read.faults) if isinstance(read, SpecificationError) else []
        notes: tuple[str, ...] = ()
        refused = sha256 = None
        instead: Mapping[str, Sequence[str]] = {}
        if found is not None:
            try:
                place = namespace, name or found.name or ""
                applied, notes = await self.run(self.store.settings.apply, found, *place)
                sha256 = applied.sha256
            except PolicyError as error:
                refused, instead = str(error), error.suggestions
            except SpecificationError as error:
                faults = list(error.faults)
        lock = found.lockfile if found is not None else None
        self.answer(
            {
                **specification_summary(found),
                "text": repaired.text,
                "changes": [asdict(change) for change in repaired.changes],
                "offer": asdict(repaired.offer),
                "exclude_newer": repaired.exclude_newer or None,
                "packages": len(lock["package"]) if lock else None,
                "starting_point": await self.run(starting_point, lock) if lock else None,
                "notes": list(notes),
                "sha256": sha256,
                "refused": refused,
                "suggestions": {name: list(meant) for name, meant in instead.items()},
                "faults": [asdict(fault) for fault in faults],
            }
        )


class EditHandler(EnvStoreHandler):
    """``specification/edit/``"""

    max_body = MAX_TEXT

    async def post(self) -> None:
        """Return a text with packages added, given other bounds or removed; its comments and order live."""
        self.require_somewhere("environment::solve")
        body = self.json_body(("specification", "add", "remove"), ("specification",))
        lists = {key: self.field(body, key, list, []) for key in ("add", "remove")}
        for key, items in lists.items():
            if not all(isinstance(item, str) and len(item) <= MAX_PACKAGE for item in items):
                msg = f"{key!r} must be a list of texts with at most {MAX_PACKAGE} characters"
                raise InvalidInputError(msg)
        text = self.field(body, "specification", str, "")
        self.answer({"specification": await self.context.specifications.edit(text, lists["add"], lists["remove"])})


def specification_summary(specification: Specification | None) -> dict[str, Any]:
    """Return what a specification says; nothing where there is none."""
    if specification is None:
        empty: dict[str, Any] = {"name": None, "description": "", "is_lockfile": False}
        return empty | {key: [] for key in ("channels", "conda", "pip", "platforms")}
    return {
        "name": specification.name,
        "description": specification.description,
        "is_lockfile": specification.lockfile is not None,
        "channels": list(specification.channels),
        "conda": list(specification.dependencies),
        "pip": list(specification.pip),
        "platforms": list(specification.platforms),
    }


class SolveHandler(SolvingHandler):
    """``solve/``"""

    async def post(self) -> None:
        """Say what a specification would install, and what that changes; nothing is kept."""
        self.require_somewhere("environment::solve")
        fields = ("specification", "namespace", "environment", "platform", "last_index", "exclude_newer")
        body = self.json_body(fields, ("specification",))
        namespace, name = self.place_to_solve(body)
        specification = await self.context.specifications.read(self.field(body, "specification", str, ""))
        place = (namespace, name or specification.name)  # as it will be submitted
        specification, notes = await self.run(self.store.builds.prepare, specification, namespace, place[1] or "")
        platform = self.field(body, "platform", str, "")
        options = BuildOptions(self.field(body, "exclude_newer", str, ""))
        options.check()
        kept_only = self.field(body, "last_index", bool, False)
        solved = await self.context.solver.solve(self.gone, specification, place, platform, kept_only, options)
        packages = solved["packages"]
        changes: list[PackageChange] | None = None
        if name is not None:
            changes = await self.run(self.store.packages.changes_against, namespace, name, packages, specification.pip)
        if specification.pip:
            notes = (*notes, f"what it needs from PyPI ({len(specification.pip)} listed) is found when it is built")
        self.answer(
            {
                "packages": [conda_store.found_package_json(record) for record in packages],
                "to_download": await self.run(self.store.packages.bytes_to_download, packages),
                "changes": changes,
                "notes": list(notes),
                "seconds": solved["seconds"],
                "platform": solved["platform"],
                "index_from": solved["index_from"],
            }
        )


ROUTES = [
    ("specification/", SpecificationsHandler),
    ("specification/check/", CheckHandler),
    ("specification/edit/", EditHandler),
    ("solve/", SolveHandler),
]
