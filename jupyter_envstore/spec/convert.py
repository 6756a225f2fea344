"""Other tools' files as specifications: ``requirements.txt``, ``@EXPLICIT`` lists, ``pixi.toml``."""

from __future__ import annotations

import json
import re
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.specification import check_requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def requirements_to_yaml(text: str, name: str, python: str) -> str:
    """Return a ``requirements.txt`` as an ``environment.yml`` with Python of this minor version."""
    lines = [line.strip() for line in re.sub(r"\\[^\S\n]*\r?\n", " ", text).splitlines()]
    wanted = [line for line in lines if line and not line.startswith("#")]
    if not wanted:
        msg = "the file lists no packages"
        raise SpecificationError(msg)
    pip = "".join(f"      - {json.dumps(line)}\n" for line in wanted)
    return f"name: {name}\ndependencies:\n  - python={python}\n  - pip:\n{pip}"


def explicit_to_lock(text: str, name: str, here: str) -> tuple[str, list[str]]:
    """Return an ``@EXPLICIT`` list as a conda-lock file, and notes; every address needs a hash behind ``#``.

    Lines ``# pip name @ address#sha256=…``, which conda-lock and our own lists have, become packages too. Packages
    for no platform alone stand for ``here``.

    Raises
    ------
    SpecificationError
        Addresses that are none, or lack a hash, each with its line.
    """
    packages, faults, platforms, pip = [], [], [], 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        found = _pip_comment(line)
        if isinstance(found, str):
            faults.append(Fault(found, number))
        elif found is not None:
            packages.append(found)
            pip += 1
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
    platform = concrete[0] if concrete else comment.group(1) if comment else here
    for entry in packages:
        entry["platform"] = platform
    channels = sorted({entry["url"].rsplit("/", 2)[0] for entry in packages if entry["manager"] == "conda"})
    metadata = {
        "content_hash": {platform: "0" * 64},
        "channels": [{"url": channel, "used_env_vars": []} for channel in channels],
        "platforms": [platform],
        "sources": [],
        "custom_metadata": {"name": name},
    }
    notes = [f"{pip} PyPI packages read from comments"] if pip else []
    return json.dumps({"version": 1, "metadata": metadata, "package": packages}, indent=1) + "\n", notes


def _pip_comment(line: str) -> dict[str, Any] | str | None:
    """Return the package of a comment ``# pip name @ address#sha256=…``, what is wrong with it, or None for others."""
    if not line.startswith("#") or len(line) > MAX_LINE:
        return None
    words = line.lstrip("#").strip()
    name, at, address = words.removeprefix("pip ").partition("@")
    name, address = name.strip(), address.strip()
    if not words.startswith("pip ") or not at or not name or " " in name:
        return None
    url, separator, digest = address.partition("#sha256=")
    if not separator:
        url, separator, digest = address.partition("--hash=sha256:")
    url, digest = url.strip(), digest.strip()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        return f"{_shown(line)!r} has no SHA-256 behind its address"
    file = unquote(urlsplit(url).path.rsplit("/", 1)[-1])
    try:
        version = str(parse_wheel_filename(file)[1] if file.endswith(".whl") else parse_sdist_filename(file)[1])
    except ValueError:
        return f"{_shown(line)!r} is not the address of a wheel or source archive"
    return {
        "name": name,
        "version": version,
        "manager": "pip",
        "platform": "",
        "dependencies": {},
        "url": url,
        "hash": {"sha256": digest},
        "category": "main",
        "optional": False,
    }


def _shown(line: str) -> str:
    """Return a line for a message: without a login in an address."""
    return re.sub(r"://[^/@\s]*@", "://***@", line)[:80]


MAX_LINE = 4000
CONDA_LIST_LINE = re.compile(r"([A-Za-z0-9_.-]+)=([^=\s]+)=([^=\s]+)")


def is_conda_list(text: str) -> bool:
    """Whether a text is what ``conda list --export`` prints: ``name=version=build`` on every line."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return bool(lines) and all(CONDA_LIST_LINE.fullmatch(line) for line in lines)


def conda_list_to_yaml(text: str, name: str) -> tuple[str, list[str]]:
    """Return what ``conda list --export`` printed as an ``environment.yml``, and notes; ``pypi`` builds are for pip."""
    conda, pip = [], []
    for line in text.splitlines():
        found = CONDA_LIST_LINE.fullmatch(line.strip())
        if found and found[3].startswith("pypi"):
            pip.append(f"{found[1]}=={found[2]}")
        elif found:
            conda.append("=".join(found.groups()))
    lines = [f"name: {name}", "dependencies:", *(f"  - {spec}" for spec in conda)]
    lines += ["  - pip:", *(f"      - {line}" for line in pip)] if pip else []
    return "\n".join(lines) + "\n", ["conda list --export read as environment.yml"]


def _explicit_entry(line: str) -> dict[str, Any] | str:
    url, _, digest = line.partition("#")
    parts = urlsplit(url).path.split("/")
    file = unquote(parts[-1])
    match = re.fullmatch(r"(.+)-([^-]+)-([^-]+)\.(?:conda|tar\.bz2)", file)
    if len(parts) < 3 or not match or "://" not in url:
        return f"{_shown(line)!r} is not the address of a conda package"
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
    tool = _mapping(data, "tool")
    pixi = _mapping(tool, "pixi") if "pixi" in tool else data
    project = _mapping(pixi, "workspace") or _mapping(pixi, "project")
    dependencies, pypi = _mapping(pixi, "dependencies"), _mapping(pixi, "pypi-dependencies")
    if not dependencies and not pypi:
        msg = "the file has no [dependencies]; accepted is pixi.toml"
        raise SpecificationError(msg)
    notes = ["pixi.toml read as environment.yml"]
    conda = [spec for package, bounds in dependencies.items() if (spec := _conda_spec(package, bounds, notes))]
    options = _pip_options(_mapping(pixi, "pypi-options"), notes)
    pip = [*options, *(line for package, bounds in pypi.items() if (line := _pip_spec(package, bounds, notes)))]
    activation = _mapping(pixi, "activation")
    left = sorted(set(pixi) - PIXI_READ)
    if activation.get("scripts"):
        left.append("activation.scripts")
    left = sorted(set(left) & PIXI_LOSSES) if pixi is data else left
    if left:
        notes.append(f"{', '.join(left)} left out")
    channels = project.get("channels", ["conda-forge"])
    if not isinstance(channels, list):
        msg = "channels must be a list"
        raise SpecificationError(msg)
    names = [channel.get("channel") if isinstance(channel, dict) else channel for channel in channels]
    if not all(isinstance(channel, str) for channel in names):
        msg = "each of the channels is text, or a table with 'channel'"
        raise SpecificationError(msg)
    lines = [f"name: {json.dumps(str(project.get('name') or name))}", "channels:"]
    lines += [f"  - {json.dumps(channel)}" for channel in names]
    platforms = _texts(project, "platforms")
    if platforms:
        lines += ["platforms:", *(f"  - {json.dumps(str(platform))}" for platform in platforms)]
    requirements = _system_requirements(_mapping(pixi, "system-requirements"), notes)
    if requirements:
        lines += ["system-requirements:", *(f"  {key}: {json.dumps(value)}" for key, value in requirements.items())]
    lines += ["dependencies:", *(f"  - {json.dumps(spec)}" for spec in conda)]
    if pip:
        lines += ["  - pip:", *(f"      - {json.dumps(line)}" for line in pip)]
    variables = _mapping(activation, "env")
    if variables:
        lines += ["variables:", *(f"  {json.dumps(key)}: {json.dumps(str(value))}" for key, value in variables.items())]
    return "\n".join(lines) + "\n", notes


def _system_requirements(table: dict[str, Any], notes: list[str]) -> dict[str, str]:
    """Return pixi's system requirements in our words: its ``libc`` is a version, or a table with family and version."""
    found = {}
    for key, value in table.items():
        wanted = key
        if key == "libc":
            is_table = isinstance(value, dict)
            wanted = value.get("family", "glibc") if is_table else "glibc"
            value = value.get("version", "") if is_table else value
        try:
            check_requirement(str(wanted), str(value))
        except ValueError:
            notes.append(f"system-requirements.{key} left out")
        else:
            found[str(wanted)] = str(value)
    return found


PIXI_READ = {"workspace", "project", "dependencies", "pypi-dependencies", "pypi-options", "activation", "tasks", "tool",
             "system-requirements"}  # fmt: skip
PIXI_LOSSES = {"feature", "target", "environments", "host-dependencies", "build-dependencies",
               "constraints", "activation.scripts"}  # fmt: skip


def _mapping(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a table of a TOML file, empty where there is none.

    Raises
    ------
    SpecificationError
        Something else stands there.
    """
    found = data.get(key, {})
    if not isinstance(found, dict):
        msg = f"{key} must be a table, as in: [{key}]"
        raise SpecificationError(msg)
    return found


def _texts(data: dict[str, Any], key: str) -> list[str]:
    """Return a list of texts of a TOML file, empty where there is none.

    Raises
    ------
    SpecificationError
        Something else stands there.
    """
    found = data.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        msg = f"{key} must be a list of texts"
        raise SpecificationError(msg)
    return found


def _pip_options(options: dict[str, Any], notes: list[str]) -> list[str]:
    lines = [f"--index-url {options['index-url']}"] if options.get("index-url") else []
    lines += [f"--extra-index-url {url}" for url in _texts(options, "extra-index-urls")]
    left = sorted(set(options) - {"index-url", "extra-index-urls"})
    if left:
        notes.append(f"pypi-options: {', '.join(left)} left out")
    return lines


def _conda_spec(package: str, bounds: Any, notes: list[str]) -> str | None:
    channel = ""
    if isinstance(bounds, dict):
        if {"git", "path", "url"} & set(bounds):
            notes.append(f"{package} left out: it points at a repository, a path or a file")
            return None
        left = sorted(set(bounds) - {"version", "build", "channel"})
        if left:
            notes.append(f"{package}: {', '.join(left)} left out")
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
        left = sorted(set(bounds) - {"version", "extras"})
        if left:
            notes.append(f"{package}: {', '.join(left)} left out")
        extras = f"[{','.join(map(str, bounds['extras']))}]" if bounds.get("extras") else ""
        bounds = bounds.get("version", "*")
    return f"{package}{extras}" if bounds == "*" else f"{package}{extras}{bounds}"
