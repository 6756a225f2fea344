"""Builds as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from jupyter_envstore.representation.artifacts import ArtifactView, artifact_view
from jupyter_envstore.representation.moments import seconds_between, time_json

if TYPE_CHECKING:
    from jupyter_envstore.database.builds import BuildRow, PackageSource
    from jupyter_envstore.database.models import Artifact, Build, Place, Step
    from jupyter_envstore.database.warnings import WarningView


class KeptView(TypedDict):
    """Whether the files of a build's packages are kept: ``size`` in bytes; ``missing`` could not be had."""

    state: str
    size: int
    missing: int


class MissingPackage(TypedDict):
    """A package whose file could not be stored."""

    name: str
    manager: str
    filename: str
    reason: str


class KeptPackages(KeptView):
    """The stored files of a build: ``shared`` are the bytes that other builds keep too, ``packages`` is how many."""

    shared: int
    packages: int
    missing_packages: list[MissingPackage]


class BuildView(TypedDict):
    """A build: sizes in bytes, moments in ISO 8601 (UTC, without a zone), ``duration`` in seconds."""

    id: int
    number: int
    key: str
    status: str
    reason: str
    active: bool
    packed_away: bool
    packages: int
    size: int
    own_size: int
    warning_count: int
    kept_packages: KeptView
    platform: str
    trigger: str
    created_by: str
    scheduled_on: str
    started_on: str | None
    ended_on: str | None
    duration: float | None


class StepView(TypedDict):
    """A step of a build with its progress: ``done`` of ``total``, in ``unit``."""

    name: str
    state: str
    attempt: int
    done: int
    total: int
    unit: str
    message: str
    started_on: str
    duration: float | None


class BuildProgress(TypedDict):
    """How far a build is; ``busy`` says whether work on it is queued or runs, as on its artifacts."""

    id: int
    number: int
    status: str
    reason: str
    steps: list[StepView]
    started_on: str | None
    ended_on: str | None
    duration: float | None
    busy: bool


class FullBuildView(BuildView):
    """All about a build: where it is, what people should know, its steps and artifacts."""

    namespace: str
    name: str
    description: str
    prefix: str | None
    other_places: list[str]
    exclude_newer: str | None
    warnings: list[WarningView]
    steps: list[StepView]
    artifacts: list[ArtifactView]


def kept_view(build: Build) -> KeptView:
    """Return whether the files of a build's packages are kept: bytes, and how many could not be had."""
    return {"state": build.keep_state or "no", "size": build.kept_size, "missing": build.kept_missing}


def build_view(build: Build, active: bool) -> BuildView:
    """Return a build."""
    return {
        "id": build.id,
        "number": build.number,
        "key": build.key,
        "status": build.status,
        "reason": build.status_info,
        "active": active,
        "packed_away": build.status == "COMPLETED" and not build.is_here,
        "packages": build.package_count,
        "size": build.size,
        "own_size": build.own_size,
        "warning_count": build.warning_count,
        "kept_packages": kept_view(build),
        "platform": build.platform,
        "trigger": build.trigger,
        "created_by": build.created_by,
        "scheduled_on": build.scheduled_on.isoformat(),
        "started_on": time_json(build.started_on),
        "ended_on": time_json(build.ended_on),
        "duration": seconds_between(build.started_on, build.ended_on),
    }


def progress_view(build: Build, steps: Sequence[Step], busy: bool) -> BuildProgress:
    """Return how far a build is."""
    return {
        "id": build.id,
        "number": build.number,
        "status": build.status,
        "reason": build.status_info,
        "steps": [step_view(step) for step in steps],
        "started_on": time_json(build.started_on),
        "ended_on": time_json(build.ended_on),
        "duration": seconds_between(build.started_on, build.ended_on),
        "busy": busy,
    }


def full_view(
    row: BuildRow,
    artifacts: Sequence[Artifact],
    steps: Sequence[Step],
    warnings: Sequence[WarningView],
    sources: Sequence[PackageSource],
    builds: Path,
    others: Sequence[Place],
) -> FullBuildView:
    """Return all about a build; ``sources`` say where its packages come from, ``others`` who has its prefix, too."""
    build = row.build
    there = build.is_here
    return {
        "namespace": row.namespace.name,
        "name": row.environment.name,
        "description": row.environment.description,
        **build_view(build, row.environment.current_build_id == build.id),
        "prefix": str(builds / build.directory) if there else None,
        "other_places": [f"{place.host}:{place.root_dir}" for place in others],
        "exclude_newer": build.options.get("exclude_newer") or None,
        "warnings": list(warnings),
        "steps": [step_view(step) for step in steps],
        "artifacts": [artifact_view(artifact, row, sources) for artifact in artifacts],
    }


def step_view(step: Step) -> StepView:
    """Return a step with its progress."""
    return {
        "name": step.name,
        "state": step.state,
        "attempt": step.attempt,
        "done": step.done,
        "total": step.total,
        "unit": step.unit,
        "message": step.message,
        "started_on": step.started_on.isoformat(),
        "duration": seconds_between(step.started_on, step.ended_on),
    }
