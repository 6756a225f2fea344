"""Locked PyPI packages as a ``pylock.toml`` (PEP 751), and what is exact of them."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_envstore.spec.lock_entries import PypiEntry


def pylock_text(packages: Sequence[PypiEntry]) -> str:
    """Return ``packages`` as a ``pylock.toml`` (PEP 751)."""
    lines = ['lock-version = "1.0"', 'created-by = "jupyter-envstore"', ""]
    for package in packages:
        if is_repository(package):
            lines += ["[[packages]]", f"name = {_toml(package['name'])}", f"vcs = {_vcs(package['url'])}", ""]
            continue
        size = f", size = {package['size']}" if package.get("size") else ""
        file = (
            f"{{ name = {_toml(package['filename'])}, url = {_toml(package['url'])}{size}, "
            f"hashes = {{ sha256 = {_toml(package['sha256'])} }} }}"
        )
        lines += [
            "[[packages]]",
            f"name = {_toml(package['name'])}",
            f"version = {_toml(package['version'])}",
            f"wheels = [{file}]" if package["filename"].endswith(".whl") else f"sdist = {file}",
            "",
        ]
    return "\n".join(lines)


def is_repository(package: PypiEntry) -> bool:
    """Whether a locked package is a repository at a commit."""
    return str(package["url"]).startswith("git+")


def exact_address(package: PypiEntry) -> str:
    """Return the address of a locked package that nothing else can have: with its hash, or with its commit."""
    return str(package["url"]) if is_repository(package) else f"{package['url']}#sha256={package['sha256']}"


def _vcs(url: str) -> str:
    address, _, fragment = url.removeprefix("git+").partition("#")
    repository, _, commit = address.rpartition("@")
    folder = fragment.removeprefix("subdirectory=")
    more = f", subdirectory = {_toml(folder)}" if folder else ""
    revision = f"requested-revision = {_toml(commit)}, commit-id = {_toml(commit)}"
    return f'{{ type = "git", url = {_toml(repository)}, {revision}{more} }}'


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
