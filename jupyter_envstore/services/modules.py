"""Which packages have a module that a notebook lacks."""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

from packaging.utils import canonicalize_name

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database.active_builds import active_builds
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.recorded_builds import active_packages
from jupyter_envstore.engine.import_names import known_packages
from jupyter_envstore.engine.module_contents import Language, cached_packages_with, check_module, pip_packages_with
from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.notebooks.module_provider import ModuleProvider
from jupyter_envstore.policy.access import Identity

MOST_PLACES = 3
"""How many environments are named that have a package."""
MOST_PROVIDERS = 6


class Modules:
    """The modules in the packages of a store."""

    def __init__(self, config: StoreConfig, database: Database) -> None:
        self._config = config
        self._database = database

    def providers(self, identity: Identity, module: str, language: Language = "python") -> list[ModuleProvider]:
        """Return the packages that have a module, the most certain first.

        What packages contain is told of those alone that environments have which ``identity`` may see.

        Raises
        ------
        InvalidInputError
            It is no name of a module.
        """
        try:
            check_module(module, language)
        except ValueError as error:
            raise InvalidInputError(str(error)) from None
        found = [
            *self._cached(identity, module, language),
            *(self._installed(identity, module) if language == "python" else ()),
        ]
        found.sort(key=lambda item: (item["manager"], -len(item["places"]), item["package"]))
        if not found and language == "r":
            found = [_provider(f"r-{module.lower()}", "conda", "convention")]
        elif not found and (known := known_packages(module)) is not None:
            found = [_provider(known[0], "conda", "known"), _provider(known[1], "pip", "known")]
        for item in found:
            item["places"] = item["places"][:MOST_PLACES]
        return found[:MOST_PROVIDERS]

    def _cached(self, identity: Identity, module: str, language: Language) -> list[ModuleProvider]:
        """Return conda packages in the package cache that have a module, and who uses them."""
        cached = cached_packages_with(module, language, self._config.packages / "conda")
        names = {name for name, _, _ in cached}
        places: dict[str, list[str]] = defaultdict(list)
        with self._database.read() as session:
            for row in active_packages(session, sorted(names)) if names else ():
                is_cached = row.manager == "conda" and (row.name, row.version, row.build) in cached
                if is_cached and identity.may("environment::read", row.namespace, row.environment):
                    places[row.name].append(f"{row.namespace}/{row.environment}")
        return [_provider(name, "conda", "contents", users) for name, users in places.items()]

    def _installed(self, identity: Identity, module: str) -> list[ModuleProvider]:
        """Return PyPI packages of active builds that have a module."""
        with self._database.read() as session:
            builds = active_builds(session)
        places: dict[str, list[str]] = defaultdict(list)
        for row in builds:
            if (
                not row.present
                or row.directory is None
                or not identity.may("environment::read", row.namespace, row.name)
            ):
                continue
            for name in pip_packages_with(module, self._config.builds / row.directory):
                places[canonicalize_name(name)].append(f"{row.namespace}/{row.name}")
        return [_provider(name, "pip", "contents", users) for name, users in places.items()]


def _provider(
    package: str,
    manager: Literal["conda", "pip"],
    source: Literal["contents", "known", "convention"],
    places: list[str] | None = None,
) -> ModuleProvider:
    return {"package": package, "manager": manager, "source": source, "places": places or []}
