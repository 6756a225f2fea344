"""Locked PyPI packages as a ``pylock.toml`` (PEP 751), and what is exact of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.package_editing import pip_name
from jupyter_envstore.spec.toml_text import toml_list, toml_string, toml_table


def pylock_text(
    packages: Sequence[PypiEntry],
    requires_python: str = "",
    environments: Sequence[str] = (),
    by_address: Collection[str] = (),
) -> str:
    """Return ``packages`` as a ``pylock.toml`` (PEP 751).

    Parameters
    ----------
    packages : sequence of PypiEntry
        What is installed. Nothing of a record but what is needed to install it.
    requires_python : str
        Versions of Python that the lock is for, as PEP 440 writes them; empty for any.
    environments : sequence of str
        Markers of the systems that the lock is for; none for any.
    by_address : collection of str
        Names of packages that were asked for by their address, and of no index (see :func:`pip_name`).
    """
    lines = ['lock-version = "1.0"']
    lines += [f"environments = {toml_list(environments)}"] if environments else []
    lines += [f"requires-python = {toml_string(requires_python)}"] if requires_python else []
    lines += ['created-by = "jupyter-envstore"', ""]
    for package in packages:
        lines += ["[[packages]]", f"name = {toml_string(pip_name(package['name']))}"]
        if is_repository(package):
            lines += [f"vcs = {_vcs(package)}", ""]
            continue
        lines.append(f"version = {toml_string(package['version'])}")
        if pip_name(package["name"]) in by_address:
            lines += [f"archive = {_file(package, named=False)}", ""]
            continue
        if package.get("index", "").startswith("http"):
            lines.append(f"index = {toml_string(package['index'])}")
        file = _file(package)
        lines += [f"wheels = [{file}]" if package["filename"].endswith(".whl") else f"sdist = {file}", ""]
    return "\n".join(lines)


def is_repository(package: PypiEntry) -> bool:
    """Whether a locked package is a repository at a commit."""
    return str(package["url"]).startswith("git+")


class Repository(NamedTuple):
    """The address of a repository, a commit of it, and the folder of the package in it (empty for none)."""

    url: str
    commit: str
    folder: str


def repository_parts(package: PypiEntry) -> Repository:
    """Return what the address of a locked repository, ``git+URL@COMMIT[#subdirectory=FOLDER]``, consists of."""
    address, _, fragment = package["url"].removeprefix("git+").partition("#")
    url, _, commit = address.rpartition("@")
    return Repository(url, commit, fragment.removeprefix("subdirectory="))


def exact_address(package: PypiEntry) -> str:
    """Return the address of a locked package that nothing else can have: with its hash, or with its commit."""
    return str(package["url"]) if is_repository(package) else f"{package['url']}#sha256={package['sha256']}"


def _file(package: PypiEntry, named: bool = True) -> str:
    name = f"name = {toml_string(package['filename'])}, " if named else ""
    size = f", size = {package['size']}" if package.get("size") else ""
    hashes = toml_table({"sha256": package["sha256"]})
    return f"{{ {name}url = {toml_string(package['url'])}{size}, hashes = {hashes} }}"


def _vcs(package: PypiEntry) -> str:
    url, commit, folder = repository_parts(package)
    values = {"type": "git", "url": url, "requested-revision": commit, "commit-id": commit}
    return toml_table({**values, "subdirectory": folder} if folder else values)
