"""Environments as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from jupyter_envstore.representation.builds import BuildView, build_view

if TYPE_CHECKING:
    from jupyter_envstore.database.models import Build, Environment, Namespace


class EnvironmentView(TypedDict):
    """An environment with its active build, and how its newest build went."""

    namespace: str
    name: str
    description: str
    build: BuildView | None
    newest_status: str | None


def environment_view(
    namespace: Namespace, environment: Environment, build: Build | None, newest_status: str | None
) -> EnvironmentView:
    """Return an environment with its active build, and how its newest build went."""
    return {
        "namespace": namespace.name,
        "name": environment.name,
        "description": environment.description,
        "build": build_view(build, True) if build else None,
        "newest_status": newest_status,
    }
