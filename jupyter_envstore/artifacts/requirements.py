"""``requirements.txt`` with hashes: the PyPI packages of a build, for ``pip install --require-hashes``."""

from __future__ import annotations

from jupyter_envstore import policy
from jupyter_envstore.artifacts.applicability import pypi_packages
from jupyter_envstore.artifacts.base import ArtifactRequest
from jupyter_envstore.engine.pylock import is_repository
from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.tarstream import Sink
from jupyter_envstore.spec.converting.pylock import OF_INDEX
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.package_editing import pip_name


class Requirements:
    """``requirements.txt``; the variant is a platform of the lock."""

    def check_variant(self, variant: str) -> None:
        """Any platform may be asked for; the record decides."""
        policy.check_platform(variant)

    def file_name(self, name: str, platform: str, variant: str) -> str:
        """``requirements.txt``, with the platform when it is not the usual one."""
        return f"requirements-{variant}.txt" if variant else "requirements.txt"

    def media_type(self, variant: str) -> str:
        """Text, shown in the browser."""
        return "text/plain; charset=utf-8"

    def make(self, request: ArtifactRequest, sink: Sink) -> dict[str, str]:
        """Write it."""
        sink.write(requirements_of(request.record, request.variant or request.platform).encode())
        return {}


def requirements_of(record: BuildRecord, platform: str) -> str:
    """Return the PyPI packages of ``record`` for ``platform`` as pip's documentation says, "Requirements File Format".

    Each has the hash of the one file that the record names. pip knows no hashes of repositories, and a file that has
    hashes may hold nothing without: repositories stand in comments.

    Raises
    ------
    ArtifactError
        The record has no PyPI packages for the platform.
    """
    packages = pypi_packages(record, platform, "requirements")
    python = record.lock(platform).python
    lines = [f"# {platform}{f', Python {python}' if python else ''}: the PyPI packages; conda packages are not listed"]
    files = [package for package in packages if not is_repository(package)]
    if files:
        lines.append("# pip install --no-deps --require-hashes -r FILE")
        lines += record.pip_options.lines
    lines += [_line(package, pip_name(package["name"]) in record.pip_by_address) for package in files]
    repositories = [package for package in packages if is_repository(package)]
    if repositories:
        lines.append("# pip cannot check the hash of a repository; these are at a commit: pip install --no-deps")
        lines += [f"#   {package['name']} @ {package['url']}" for package in repositories]
    return "\n".join(lines) + "\n"


def _line(package: PypiEntry, by_address: bool) -> str:
    is_found_by_name = package["index"].startswith("http") or OF_INDEX.search(package["url"])
    what = f" @ {package['url']}" if by_address or not is_found_by_name else f"=={package['version']}"
    return f"{package['name']}{what} --hash=sha256:{package['sha256']}"
