"""What the store holds, as JSON values: the same for the command line and the API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_envstore.artifacts.artifact_reach import REACH, known_reach
from jupyter_envstore.artifacts.base import MADE_AS, find_maker
from jupyter_envstore.database.states import PREFIX_PRESENT
from jupyter_envstore.policy.artifact_kinds import artifact_kinds

if TYPE_CHECKING:
    from jupyter_envstore.database.builds import BuildRow
    from jupyter_envstore.database.models import Artifact, Build, Environment, Namespace, Package, Step
    from jupyter_envstore.database.warnings import WarningView


def environment_view(
    namespace: Namespace, environment: Environment, build: Build | None, newest_status: str | None
) -> dict[str, Any]:
    """Return an environment with its active build, and how its newest build went."""
    return {
        "namespace": namespace.name,
        "name": environment.name,
        "description": environment.description,
        "build": build_view(build, True) if build else None,
        "newest_status": newest_status,
    }


def build_view(build: Build, active: bool) -> dict[str, Any]:
    """Return a build."""
    return {
        "id": build.id,
        "number": build.number,
        "key": build.key,
        "status": build.status,
        "reason": build.status_info,
        "active": active,
        "packed_away": build.status == "COMPLETED" and build.prefix_state != PREFIX_PRESENT,
        "packages": build.package_count,
        "size": build.size,
        "own_size": build.own_size,
        "warning_count": build.warning_count,
        "kept_packages": {"state": build.keep_state or "no", "size": build.kept_size, "missing": build.kept_missing},
        "platform": build.platform,
        "trigger": build.trigger,
        "created_by": build.created_by,
        "scheduled_on": _time(build.scheduled_on),
        "started_on": _time(build.started_on),
        "ended_on": _time(build.ended_on),
        "duration": _duration(build.started_on, build.ended_on),
    }


def full_view(
    row: BuildRow,
    artifacts: Sequence[Artifact],
    steps: Sequence[Step],
    warnings: Sequence[WarningView],
    channels: Sequence[str],
    builds: Path,
) -> dict[str, Any]:
    """Return all about a build; ``channels`` are those of its packages."""
    build = row.build
    there = build.prefix_state == PREFIX_PRESENT
    return {
        "namespace": row.namespace.name,
        "name": row.environment.name,
        "description": row.environment.description,
        **build_view(build, row.environment.current_build_id == build.id),
        "prefix": str(builds / build.directory) if there else None,
        "exclude_newer": build.options.get("exclude_newer") or None,
        "warnings": list(warnings),
        "steps": [step_view(step) for step in steps],
        "artifacts": [artifact_view(artifact, row, channels) for artifact in artifacts],
    }


def step_view(step: Step) -> dict[str, Any]:
    """Return a step with its progress."""
    return {
        "name": step.name,
        "state": step.state,
        "attempt": step.attempt,
        "done": step.done,
        "total": step.total,
        "unit": step.unit,
        "message": step.message,
        "started_on": _time(step.started_on),
        "duration": _duration(step.started_on, step.ended_on),
    }


def artifact_view(artifact: Artifact, row: BuildRow, channels: Sequence[str]) -> dict[str, Any]:
    """Return an artifact of a build whose packages are of ``channels``; ``size`` in bytes, ``duration`` in seconds."""
    kind = artifact_kinds().get(artifact.type)
    maker = find_maker(artifact.type) if kind else None
    variant = artifact.tools.get(MADE_AS, artifact.variant)
    name = maker.file_name(row.environment.name, row.build.platform, variant) if maker else artifact.type
    return {
        "id": artifact.id,
        "type": artifact.type,
        "title": kind.title if kind else artifact.type,
        "variant": artifact.variant,
        "state": artifact.state,
        "size": artifact.size,
        "sha256": artifact.digest,
        "duration": artifact.duration,
        "reason": artifact.reason,
        "file_name": name,
        "media_type": maker.media_type(variant) if maker else "application/octet-stream",
        "tools": {tool: version for tool, version in artifact.tools.items() if tool != REACH},
        "reach": known_reach(artifact.type, artifact.tools, channels),
        "made_on": _time(artifact.made_on),
    }


def package_diff(before: Sequence[Package], after: Sequence[Package]) -> list[dict[str, str]]:
    """Return packages added, removed and changed, by name."""
    old = {(p.manager, p.name): p for p in before}
    new = {(p.manager, p.name): p for p in after}
    changes = []
    for key in sorted(old.keys() | new.keys(), key=lambda key: (key[1], key[0])):
        first, second = old.get(key), new.get(key)
        if first and second and (first.version, first.build) == (second.version, second.build):
            continue
        change = "added" if first is None else "removed" if second is None else "changed"
        changes.append(
            {
                "change": change,
                "manager": key[0],
                "name": key[1],
                "from": _version(first),
                "to": _version(second),
            }
        )
    return changes


def _version(package: Package | None) -> str:
    if package is None:
        return ""
    return f"{package.version} {package.build}".strip()


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _duration(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None
