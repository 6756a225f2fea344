"""The files of packages: which a lock has, and how each is fetched as it is."""

from __future__ import annotations

import asyncio
import errno
import http.client
import re
import shutil
import urllib.error
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore.database.kept_packages import CONDA, PYPI, PackageFile
from jupyter_envstore.engine.archives import open_address
from jupyter_envstore.engine.channels import local_path, make_client, redact
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.prefix import storage_error
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.errors import PackageError, StorageError
from jupyter_envstore.spec.lock_entries import BuiltWheel, HashKind, PypiEntry

PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]{0,250}")
"""What a package's file may be called: it becomes a name in folders and addresses."""


def package_files(lock: PlatformLock) -> list[PackageFile]:
    """Return the files that a platform of a lock is made of.

    Of a PyPI package that was built here from its source, that is the wheel.

    Raises
    ------
    PackageError
        A file has a name that is none.
    """
    found = []
    for record in lock.conda:
        kind: HashKind = "sha256" if record.get("sha256") else "md5"
        file = PackageFile(
            CONDA,
            record["name"],
            record["fn"],
            record["url"],
            kind,
            record.get(kind) or "",
            record.get("size") or 0,
            record["subdir"],
            record=record,
        )
        found.append(file)
    for package in lock.pip:
        wheel: BuiltWheel | PypiEntry = package.get("wheel") or package
        file = PackageFile(
            PYPI,
            str(canonicalize_name(package["name"])),
            wheel["filename"],
            package["url"],
            "sha256",
            wheel["sha256"],
            wheel.get("size") or 0,
            built_here="wheel" in package,
            record=package,
        )
        found.append(file)
    for file in found:
        if not PLAIN_NAME.fullmatch(file.filename) or not PLAIN_NAME.fullmatch(file.subdir or "noarch"):
            msg = f"package {file.name}: {file.subdir}/{file.filename} is no name of a file"
            raise PackageError(msg)
    return found


async def fetch_file(file: PackageFile, target: Path, logins: Mapping[str, str]) -> None:
    """Write the file of a package to ``target``, from where the lock has it; its hash is checked.

    Parameters
    ----------
    logins : mapping
        Those of indexes (:func:`~jupyter_envstore.engine.archives.index_logins`); channels' are rattler's.

    Raises
    ------
    PackageError
        It cannot be had, or is not the one that was locked.
    StorageError
        No space left, or the store is read-only.
    """
    path = local_path(file.url)
    try:
        if path is not None:
            await asyncio.to_thread(shutil.copyfile, path, target)
        elif file.manager == CONDA:
            await _download_conda(file.url, target)
        else:
            await asyncio.to_thread(_download, file.url, target, logins)
    except FileNotFoundError:
        msg = f"{file.filename} is not at its address any more: {redact(file.url)}"
        raise PackageError(msg) from None
    except urllib.error.URLError as error:
        reason = str(error.reason)
        if isinstance(error, urllib.error.HTTPError):
            reason = f"the server says {error.code}"
            error.close()
        msg = f"{file.filename} cannot be had from {redact(file.url)}: {redact(reason)}"
        raise PackageError(msg) from None
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # which copyfile says of the source, too
        if full or error.filename == str(target):
            raise storage_error(error) from error
        msg = f"{file.filename} cannot be read: {error.strerror}"
        if path is None:  # the connection ended on the way
            msg = f"{file.filename} cannot be had from {redact(file.url)}: {redact(str(error))}"
        raise PackageError(msg) from None
    except http.client.HTTPException as error:
        msg = f"{file.filename} cannot be had from {redact(file.url)}: {type(error).__name__}"
        raise PackageError(msg) from None
    found = await asyncio.to_thread(file_digest, target, file.hash_kind)
    if found != file.hash:
        msg = (
            f"{file.filename} at {redact(file.url)} is not the one that was locked: its {file.hash_kind} is {found}, "
            f"locked is {file.hash or 'none'}"
        )
        raise PackageError(msg)


async def _download_conda(url: str, target: Path) -> None:
    """Let rattler download: it knows the credentials of channels, proxies and mirrors' addresses."""
    from rattler.package_streaming import download_to_path

    try:
        await download_to_path(make_client(), url, target)
    except Exception as error:
        lines = [line.removeprefix("Caused by: ").strip() for line in redact(str(error)).splitlines() if line.strip()]
        if "No space left on device" in str(error):
            msg = "no space left on the store's disk; free some with: jupyter envstore gc"
            raise StorageError(msg) from None
        reason = lines[-1] if lines else type(error).__name__
        msg = f"{target.name} cannot be had from {redact(url)}: {reason}"
        raise PackageError(msg) from None


def _download(url: str, target: Path, logins: Mapping[str, str]) -> None:
    if not url.startswith(("http://", "https://")):
        msg = f"{target.name} is at {redact(url)}, where nothing can be fetched from"
        raise PackageError(msg)
    with open_address(url, logins) as answer, target.open("wb") as file:
        shutil.copyfileobj(answer, file, 1 << 20)
