"""What the REST API tells of builds and environments, as commands show it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_envstore.representation.builds import BuildView
    from jupyter_envstore.representation.conda_store_types import BuildJson, EnvironmentJson
    from jupyter_envstore.representation.environments import EnvironmentView


def build_view(told: BuildJson) -> BuildView:
    """Return a build."""
    return {
        "id": told["id"],
        "number": told["number"],
        "key": told["build_key"],
        "status": told["status"],
        "reason": told["status_info"] or "",
        "active": told["active"],
        "packed_away": told["packed_away"],
        "packages": told["package_count"],
        "size": told["size"],
        "own_size": told["own_size"],
        "warning_count": told["warning_count"],
        "kept_packages": told["kept_packages"],
        "platform": told["platform"] or "",
        "trigger": told["trigger"],
        "created_by": told["created_by"],
        "scheduled_on": told["scheduled_on"],
        "started_on": told["started_on"],
        "ended_on": told["ended_on"],
        "duration": _seconds(told["started_on"], told["ended_on"]),
    }


def environment_view(told: EnvironmentJson) -> EnvironmentView:
    """Return an environment with its active build."""
    active = told["current_build"] if told["active"] else None
    return {
        "namespace": told["namespace"]["name"],
        "name": told["name"],
        "description": told["description"],
        "build": build_view(active) if active else None,
        "newest_status": told["newest_build_status"],
    }


def _seconds(start: str | None, end: str | None) -> float | None:
    """Return the seconds between two moments (ISO 8601)."""
    if not start or not end:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
