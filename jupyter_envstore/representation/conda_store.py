"""The form of conda-store's REST API (version 1), which its clients read, and what we add to it: where it differs."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.policy.artifact_kinds import artifact_kinds
from jupyter_envstore.representation.builds import BuildView, build_view
from jupyter_envstore.representation.moments import expiration_json, time_json
from jupyter_envstore.spec.specification import PipOptions

if TYPE_CHECKING:
    from jupyter_envstore.builds.retention import Plan
    from jupyter_envstore.database.models import Artifact, Build, Namespace, Package, RoleMapping, Specification, Token
    from jupyter_envstore.database.paging import EnvironmentRow
    from jupyter_envstore.representation.conda_store_types import (
        ArtifactJson,
        BuildJson,
        EnvironmentFileJson,
        EnvironmentJson,
        FoundPackageJson,
        LockfileJson,
        NamespaceJson,
        PackageJson,
        PipLines,
        PlanJson,
        SameBuildJson,
        SpecificationJson,
        TokenJson,
    )
    from jupyter_envstore.spec.lock_entries import CondaEntry

MOST_REMOVALS = 100
"""How many of the things that can be freed are named."""


def namespace_json(namespace: Namespace, mappings: Sequence[RoleMapping]) -> NamespaceJson:
    """Return a namespace."""
    return {
        "id": namespace.id,
        "name": namespace.name,
        "metadata_": namespace.metadata_ or {},
        "role_mappings": [{"id": row.id, "entity": row.entity, "role": row.role} for row in mappings],
    }


def environment_json(
    row: EnvironmentRow,
    mappings: Sequence[RoleMapping],
    permissions: Collection[str],
    artifacts: Sequence[Artifact],
    path: str | None = None,
) -> EnvironmentJson:
    """Return an environment.

    ``current_build_id`` is the active build, or the newest where none has completed yet: clients follow it. Ours are
    ``active``, ``newest_build`` (where it is another one) with its id and status, ``permissions``, and ``path``: where
    the active build is on the server, whichever it is.
    """
    environment, build, newest = row.environment, row.build, row.newest
    return {
        "id": environment.id,
        "namespace": {**namespace_json(row.namespace, mappings), "members": row.members},
        "name": environment.name,
        "current_build_id": build.id if build else None,
        "current_build": build_json(build, environment.current_build_id == build.id, artifacts) if build else None,
        "description": environment.description,
        "active": environment.current_build_id is not None,
        "newest_build_id": newest.id if newest else None,
        "newest_build_status": newest.status if newest else None,
        "newest_build": build_json(newest, False) if newest and build and newest.id != build.id else None,
        "created_on": time_json(environment.created_on),
        "created_by": environment.created_by,
        "permissions": sorted(permissions),
        "path": path,
    }


def build_json(
    build: Build, active: bool, artifacts: Sequence[Artifact] = (), specification: SpecificationJson | None = None
) -> BuildJson:
    """Return a build; ``build_artifacts`` are those that are ready, as clients take presence for readiness."""
    view = build_view(build, active)
    return {
        **_same(view),
        "environment_id": build.environment_id,
        "specification": specification,
        "packages": None,
        "status_info": view["reason"] or None,
        "build_artifacts": build_artifacts(build, artifacts),
        "build_key": view["key"],
        "pinned": build.pinned,
        "platform": view["platform"] or None,
        "package_count": view["packages"],
    }


def _same(view: BuildView) -> SameBuildJson:
    """Return what a build has here as it has it elsewhere.

    Other keys have other names, or another value where there is none.
    """
    return {
        "id": view["id"],
        "status": view["status"],
        "size": view["size"],
        "scheduled_on": view["scheduled_on"],
        "started_on": view["started_on"],
        "ended_on": view["ended_on"],
        "number": view["number"],
        "active": view["active"],
        "packed_away": view["packed_away"],
        "kept_packages": view["kept_packages"],
        "own_size": view["own_size"],
        "warning_count": view["warning_count"],
        "trigger": view["trigger"],
        "created_by": view["created_by"],
    }


def build_artifacts(build: Build, artifacts: Sequence[Artifact]) -> list[ArtifactJson]:
    """Return what is ready of a build; the log and the prefix have no row, and the id 0."""
    kinds = artifact_kinds()
    found: list[ArtifactJson] = [
        {
            "id": artifact.id,
            "artifact_type": kinds[artifact.type].wire_name if artifact.type in kinds else artifact.type.upper(),
            "key": f"{artifact.type}/{build.key}" + (f"/{artifact.variant}" if artifact.variant else ""),
        }
        for artifact in artifacts
        if artifact.type not in kinds or kinds[artifact.type].listed
    ]
    if build.started_on is not None:
        found.append({"id": 0, "artifact_type": "LOGS", "key": f"logs/{build.key}"})
    if build.is_here:
        found.append({"id": 0, "artifact_type": "DIRECTORY", "key": f"builds/{build.directory}"})
    return found


def specification_json(row: Specification, typed: str | None = None) -> SpecificationJson:
    """Return a specification in conda-store's form, and ``text``, what was typed (for one build, if given)."""
    meaning = row.spec
    spec: EnvironmentFileJson | LockfileJson
    if row.is_lockfile:
        spec = {"name": row.name, "description": meaning["description"], "lockfile": meaning["lockfile"]}
    else:
        lines = [*PipOptions.from_values(meaning["pip_options"]).lines, *meaning["pip"]]
        dependencies: list[str | PipLines] = [*meaning["dependencies"]]
        if lines:
            dependencies.append({"pip": lines})
        spec = {
            "channels": list(meaning["channels"]),
            "dependencies": dependencies,
            "description": meaning["description"],
            "name": row.name,
            "prefix": None,
            "variables": meaning["variables"],
        }
    return {
        "id": row.id,
        "name": row.name,
        "spec": spec,
        "sha256": row.sha256,
        "created_on": time_json(row.created_on),
        "is_lockfile": row.is_lockfile,
        "text": typed or row.text,
    }


def package_json(package: Package) -> PackageJson:
    """Return a package of a build; PyPI packages have the channel ``pypi`` and no build."""
    return {
        "id": package.id,
        "channel": {"id": 0, "name": package.channel},
        "license": package.license or None,
        "name": package.name,
        "version": package.version,
        "summary": None,
        "build": package.build,
        "manager": package.manager,
        "size": package.size,
    }


def found_package_json(record: CondaEntry) -> FoundPackageJson:
    """Return a package of a channel, as a search or a solve found it."""
    return {
        "id": 0,
        "channel_id": record.get("channel") or "",
        "channel": {"id": 0, "name": record.get("channel") or ""},
        "name": record["name"],
        "version": record.get("version") or "",
        "build": record.get("build") or "",
        "build_number": record.get("build_number") or 0,
        "sha256": record.get("sha256") or "",
        "md5": record.get("md5") or "",
        "subdir": record.get("subdir") or "",
        "size": record.get("size") or 0,
        "license": record.get("license"),
        "depends": list(record.get("depends") or ()),
        "constrains": list(record.get("constrains") or ()),
        "summary": None,
        "manager": "conda",
    }


def plan_json(plan: Plan) -> PlanJson:
    """Return what would be freed, or was: the largest things, how many there are, and bytes in all."""
    largest = sorted(plan.removals, key=lambda removal: -removal.size)[:MOST_REMOVALS]
    return {
        "size": plan.size,
        "count": len(plan.removals),
        "removals": [
            {"kind": removal.kind, "name": removal.name, "reason": removal.reason, "size": removal.size}
            for removal in largest
        ],
    }


def token_json(token: Token) -> TokenJson:
    """Return what is known of a token; its text was shown once and is not kept."""
    return {
        "id": token.id,
        "kind": token.kind,
        "name": token.name,
        "prefix": token.prefix,
        "username": token.username,
        "primary_namespace": token.primary_namespace,
        "role_bindings": token.role_bindings or None,
        "created_on": time_json(token.created_on),
        "expiration": expiration_json(token.expires_on),
        "last_used_on": time_json(token.last_used_on),
    }


def write_cursor(last_id: int | None, last_value: Mapping[str, object] | None) -> str:
    """Return the place in a listing as text: base64 of JSON."""
    return base64.b64encode(json.dumps({"last_id": last_id, "last_value": last_value}).encode()).decode()


def read_cursor(text: str) -> tuple[int | None, dict[str, str]]:
    """Return what :func:`write_cursor` wrote.

    Raises
    ------
    InvalidInputError
        It is something else.
    """
    try:
        data = json.loads(base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True))
        last_id, values = data["last_id"], data["last_value"] or {}
        if not (last_id is None or (type(last_id) is int and 0 <= last_id < 2**31)):
            raise TypeError
        if not all(type(value) is str and value.encode() for value in values.values()):
            raise TypeError
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        msg = "the cursor is not one that this listing gave"
        raise InvalidInputError(msg) from None
    return last_id, values
