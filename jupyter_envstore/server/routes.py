"""All routes, under both names that clients know."""

from __future__ import annotations

from typing import Any

from jupyter_envstore.server import (
    artifacts,
    base,
    builds,
    changes,
    documentation,
    environments,
    kept_packages,
    kernel_builds,
    links,
    logs,
    moved_builds,
    namespaces,
    notebooks,
    package_channel,
    search,
    settings,
    shared_page,
    specifications,
    tokens,
    tokens_page,
)

PREFIXES = ("envstore", "conda-store")
API: list[tuple[str, type[base.EnvStoreHandler]]] = [
    *tokens.ROUTES,
    *namespaces.ROUTES,
    *environments.ROUTES,
    *links.ROUTES,
    *specifications.ROUTES,
    *builds.ROUTES,
    *kernel_builds.ROUTES,
    *moved_builds.ROUTES,
    *notebooks.ROUTES,
    *artifacts.ROUTES,
    *logs.ROUTES,
    *settings.ROUTES,
    *search.ROUTES,
    *kept_packages.ROUTES,
    *changes.ROUTES,
    *documentation.ROUTES,
]
"""Paths below ``api/v1/``."""


def routes() -> list[tuple[str, type[Any]]]:
    """Return the patterns of all paths below the server's base URL, and what answers them."""
    found: list[tuple[str, type[Any]]] = []
    for prefix in PREFIXES:
        for path, handler in API:
            found.append((f"/{prefix}/api/v1/{base.route(path)}" if path else f"/{prefix}/api/v1/?", handler))
        found += [(f"/{prefix}/api/v2/{base.route(path)}", handler) for path, handler in environments.CURSOR_ROUTES]
        found.append((f"/{prefix}/api(?:/.*)?", base.NotFoundHandler))
    return [
        *found,
        *package_channel.ROUTES,
        ("/envstore/tokens/?", tokens_page.TokensPageHandler),
        ("/envstore/shared/?", shared_page.SharedPageHandler),
    ]
