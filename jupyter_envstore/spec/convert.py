"""Other tools' files as specifications: ``requirements.txt``, ``@EXPLICIT`` lists, ``pixi.toml``."""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyter_envstore.errors import Fault, SpecificationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def requirements_to_yaml(text: str, name: str, python: str) -> str:
    """Return a ``requirements.txt`` as an ``environment.yml`` with Python of this minor version."""
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        msg = "the file lists no packages"
        raise SpecificationError(msg)
    pip = "".join(f"      - {json.dumps(line)}\n" for line in wanted)
    return f"name: {name}\ndependencies:\n  - python={python}\n  - pip:\n{pip}"


def explicit_to_lock(text: str, name: str) -> str:
    """Return an ``@EXPLICIT`` list as a conda-lock file; every address needs a hash behind ``#``.

    Raises
    ------
    SpecificationError
        Addresses that are none, or lack a hash, each with its line.
    """
    packages, faults, platforms = [], [], []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", "@")):
            continue
        entry = _explicit_entry(line)
        if isinstance(entry, str):
            faults.append(Fault(entry, number))
            continue
        packages.append(entry)
        platforms.append(entry["platform"])
    concrete = sorted({platform for platform in platforms if platform != "noarch"})
    if len(concrete) > 1:
        faults.append(Fault(f"packages of several platforms: {', '.join(concrete)}"))
    if faults or not packages:
        raise SpecificationError(faults or "the list is empty")
    comment = re.search(r"^#\s*platform:\s*(\S+)", text, re.MULTILINE)
    platform = concrete[0] if concrete else comment.group(1) if comment else "linux-64"
    for entry in packages:
        entry["platform"] = platform
    channels = sorted({entry["url"].rsplit("/", 2)[0] for entry in packages})
    metadata = {
        "content_hash": {platform: "0" * 64},
        "channels": [{"url": channel, "used_env_vars": []} for channel in channels],
        "platforms": [platform],
        "sources": [],
        "custom_metadata": {"name": name},
    }
    return json.dumps({"version": 1, "metadata": metadata, "package": packages}, indent=1) + "\n"


def _explicit_entry(line: str) -> dict[str, Any] | str:
    url, _, digest = line.partition("#")
    parts = urlsplit(url).path.split("/")
    file = unquote(parts[-1])
    match = re.fullmatch(r"(.+)-([^-]+)-([^-]+)\.(?:conda|tar\.bz2)", file)
    if len(parts) < 3 or not match or "://" not in url:
        return f"{line[:80]!r} is not the address of a conda package"
    digest = digest.removeprefix("sha256:")
    kind = {32: "md5", 64: "sha256"}.get(len(digest))
    if kind is None or not re.fullmatch(r"[0-9a-f]+", digest):
        return f"{file} has no hash; make the list with: conda list --explicit --md5"
    return {
        "name": match.group(1),
        "version": match.group(2),
        "manager": "conda",
        "platform": parts[-2],
        "dependencies": {},
        "url": url,
        "hash": {kind: digest},
        "category": "main",
        "optional": False,
    }


def pixi_to_yaml(text: str, name: str) -> tuple[str, list[str]]:
    """Return a ``pixi.toml`` (or ``tool.pixi`` of a ``pyproject.toml``) as an ``environment.yml``, and notes."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"not TOML: {error}"
        raise SpecificationError(msg) from None
    pixi = data.get("tool", {}).get("pixi", data)
    project = pixi.get("workspace") or pixi.get("project") or {}
    if not pixi.get("dependencies") and not pixi.get("pypi-dependencies"):
        msg = "the file has no [dependencies]; accepted is pixi.toml"
        raise SpecificationError(msg)
    notes = ["pixi.toml read as environment.yml"]
    conda = [_conda_spec(package, bounds) for package, bounds in pixi.get("dependencies", {}).items()]
    pip = [_pip_spec(package, bounds, notes) for package, bounds in pixi.get("pypi-dependencies", {}).items()]
    left = sorted(set(pixi) & {"feature", "target", "environments", "system-requirements"})
    if left:
        notes.append(f"{', '.join(left)} left out")
    lines = [f"name: {json.dumps(project.get('name') or name)}", "channels:"]
    lines += [
        f"  - {json.dumps(c if isinstance(c, str) else c['channel'])}" for c in project.get("channels", ["conda-forge"])
    ]
    if project.get("platforms"):
        lines += ["platforms:", *(f"  - {json.dumps(str(platform))}" for platform in project["platforms"])]
    lines += ["dependencies:", *(f"  - {json.dumps(spec)}" for spec in conda)]
    wanted = [line for line in pip if line]
    if wanted:
        lines += ["  - pip:", *(f"      - {json.dumps(line)}" for line in wanted)]
    variables = pixi.get("activation", {}).get("env", {})
    if variables:
        lines += ["variables:", *(f"  {key}: {json.dumps(str(value))}" for key, value in variables.items())]
    return "\n".join(lines) + "\n", notes


def _conda_spec(package: str, bounds: Any) -> str:
    channel = ""
    if isinstance(bounds, dict):
        channel = f"{bounds['channel']}::" if bounds.get("channel") else ""
        build = f" {bounds['build']}" if bounds.get("build") else ""
        bounds = f"{bounds.get('version', '*')}{build}"
    return f"{channel}{package}" if bounds == "*" else f"{channel}{package} {bounds}"


def _pip_spec(package: str, bounds: Any, notes: list[str]) -> str | None:
    extras = ""
    if isinstance(bounds, dict):
        if {"git", "path", "url"} & set(bounds):
            notes.append(f"{package} left out: it points at a repository or a path")
            return None
        extras = f"[{','.join(bounds['extras'])}]" if bounds.get("extras") else ""
        bounds = bounds.get("version", "*")
    return f"{package}{extras}" if bounds == "*" else f"{package}{extras}{bounds}"
