"""Why uv refuses a wheel, told with package, index and path: its own words name the package and its cache's folders."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore.engine.archives import fetch_wheels
from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.kept_files import Find
from jupyter_envstore.engine.wheel_contents import check_wheel, index_of
from jupyter_envstore.errors import PackageError, PipError
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.specification import PipOptions


@contextlib.contextmanager
def faults_told(packages: Sequence[PypiEntry], kept: Find | None = None) -> Iterator[None]:
    """Install packages within; where uv refuses a wheel, it is fetched once more to see what is wrong with it.

    Parameters
    ----------
    kept : callable or None
        Gives the place of a file in the store by its SHA-256.

    Raises
    ------
    PipError
        With package, index and path; in uv's words where the fault is of another kind.
    """
    try:
        yield
    except PipError as error:
        named = _named(str(error), packages)
        for package in named:
            _look_at(package, kept)
        if len(named) != 1:
            raise
        what, _, words = str(error).partition(": ")
        msg = f"{what}: {named[0]['filename']} of {index_of(named[0])}: {words}"
        raise PipError(msg) from None


def check_wheels(packages: Sequence[PypiEntry]) -> None:
    """Refuse wheels of this machine's own disk that are not as they should be, before they are unpacked.

    Of those that are fetched, :func:`~jupyter_envstore.engine.refused_wheel_files.refuse_left_out` and
    :func:`faults_told` tell.

    Raises
    ------
    PipError
        With package, index and path.
    """
    for package in packages:
        place = local_path(str(package["url"]))
        if place is None or place.suffix != ".whl":
            continue
        with contextlib.suppress(OSError):  # uv tells that it is gone
            check_wheel(package, place)


def _named(text: str, packages: Sequence[PypiEntry]) -> list[PypiEntry]:
    """Return the packages that uv names: by their file, or by name and version."""
    words = set(re.findall(r"[^\s`()',]+", text))
    return [
        package
        for package in packages
        if package["filename"] in words or f"{canonicalize_name(package['name'])}=={package['version']}" in words
    ]


def _look_at(package: PypiEntry, kept: Find | None) -> None:
    if not package["filename"].endswith(".whl"):
        return
    with tempfile.TemporaryDirectory(prefix="envstore-wheel-") as folder, contextlib.suppress(PackageError, OSError):
        fetch_wheels([package], PipOptions(), Path(folder), kept)
        check_wheel(package, Path(folder, package["filename"]), thorough=True)
