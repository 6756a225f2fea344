"""What all kernelspecs of environments have: where they come from, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from jupyter_envstore.database.active_build import ActiveBuild


def place_of(row: ActiveBuild) -> dict[str, object]:
    """Return what a kernelspec says of its build, in its metadata under ``envstore``."""
    return {"namespace": row.namespace, "environment": row.name, "build_id": row.build_id, "build": row.number}


def write_spec(folder: Path, spec: Mapping[str, object]) -> None:
    """Write a kernelspec into its folder, which is there."""
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
