"""Packages as the files that they are distributed in, checked by their hashes: what installers carry."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import netrc
import os
import re
import shutil
import ssl
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jupyter_envstore.engine.channels import conda_credentials, local_path, make_client, redact
from jupyter_envstore.engine.digest import file_digest
from jupyter_envstore.engine.kept_files import Find
from jupyter_envstore.engine.package_paths import (
    check_complete,
    check_entries,
    check_index,
    check_record,
    entry_points,
    info_json,
    listed_entries,
    refusal,
)
from jupyter_envstore.engine.prefix import storage_error
from jupyter_envstore.engine.progress import Progress
from jupyter_envstore.errors import PackageError
from jupyter_envstore.spec.lock_entries import HASH_KINDS, CondaEntry, Hashes, PypiEntry
from jupyter_envstore.spec.specification import PipOptions

AT_ONCE = 8
PIECE = 1 << 20
TIMEOUT = 60.0


def fetch_archives(
    records: Sequence[CondaEntry], places: Sequence[Path], progress: Progress, kept: Find | None = None
) -> None:
    """Put the ``.conda`` or ``.tar.bz2`` file of each record to its place; ``kept`` finds those that the store has.

    Raises
    ------
    PackageError
        One cannot be had, is not the one that was locked, or lies about its paths.
    StorageError
        The disk is full.
    """
    windows = any(str(record["subdir"]).startswith("win-") for record in records)
    total = sum(record.get("size") or 0 for record in records)
    done = 0

    async def fetch(record: CondaEntry, place: Path, turn: asyncio.Semaphore, client: Any) -> None:
        nonlocal done
        import rattler.package_streaming

        place.parent.mkdir(parents=True, exist_ok=True)
        async with turn:
            source = await asyncio.to_thread(_kept_file, record, kept) or local_path(str(record["url"]))
            if source is not None:
                await asyncio.to_thread(_link_or_copy, source, place)
            else:
                await rattler.package_streaming.download_to_path(client, str(record["url"]), place)
            await asyncio.to_thread(_check, record, record["fn"], place)
            await check_archive(record, place, windows)
        done += record.get("size") or 0
        progress.advance(done, total, "bytes", str(record["name"]))

    async def run() -> None:
        turn, client = asyncio.Semaphore(AT_ONCE), make_client()
        await asyncio.gather(
            *(fetch(record, place, turn, client) for record, place in zip(records, places, strict=True))
        )

    try:
        with conda_credentials():
            asyncio.run(run())
    except PackageError:
        raise
    except OSError as error:
        raise storage_error(error) from error
    except Exception as error:  # rattler's, which share no class of their own
        msg = f"a package cannot be downloaded: {redact(str(error)).strip().splitlines()[0]}"
        raise PackageError(msg) from None


async def check_archive(record: CondaEntry, place: Path, windows: bool) -> None:
    """Check what a package says of its paths that is handed on as it is, without being unpacked here.

    It is read as a whole, to see that it contains what it lists.

    Parameters
    ----------
    place : Path
        The ``.conda`` or ``.tar.bz2`` file.
    windows : bool
        Whether it is for Windows.

    Raises
    ------
    PackageError
        It lies about its paths.
    """
    from rattler.package_streaming import PackageArchive

    check_record(record)
    try:
        archive = await PackageArchive.from_path(place)
        found = await archive.read_files(["info/index.json", "info/paths.json", "info/files"])
        if found["info/paths.json"] is None:
            found |= await archive.read_files(["info/has_prefix"])
        index = info_json(record, found["info/index.json"], "info/index.json")
        if index.get("noarch") == "python":
            found |= await archive.read_files(["info/link.json"])
        members = set(await archive.list_files("pkg"))
    except PackageError:
        raise
    except Exception as error:  # rattler's, which share no class of their own
        raise refusal(record, f"what it says of its paths cannot be read ({error})") from None
    entries = list(listed_entries(record, found.get))
    check_entries(record, entries, windows)
    listed = (str(entry["_path"]) for entry in entries if entry.get("path_type") != "directory")
    check_complete(record, [path for path in listed if path not in members])
    check_index(record, index)
    entry_points(record, found.get("info/link.json"))


def fetch_wheels(packages: Sequence[PypiEntry], options: PipOptions, folder: Path, kept: Find | None = None) -> None:
    """Put the wheel of each PyPI package into ``folder``, under its own name; ``kept`` finds those of the store.

    Raises
    ------
    PackageError
        One cannot be had, or is not the one that was locked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        place = folder / check_file_name(str(package["filename"]))
        source = _kept_file(package, kept) or local_path(str(package["url"]))
        if source is not None:
            _link_or_copy(source, place)
        else:
            _download(str(package["url"]), place, index_logins(options))
        _check({"sha256": package["sha256"]}, package["filename"], place)


def check_file_name(name: str) -> str:
    """Return the name of a package's file; refuse what leads elsewhere.

    Raises
    ------
    PackageError
        It is none.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.+!~-]*", name):
        msg = f"{name[:120]!r} is no name of a package's file; the lock that has it cannot be trusted"
        raise PackageError(msg)
    return name


def _kept_file(package: CondaEntry | PypiEntry, kept: Find | None) -> Path | None:
    """Return the file of a package that the store keeps, where it is as it was kept."""
    if kept is None or not package.get("sha256"):
        return None
    path = kept(str(package["sha256"]))
    return path if path.is_file() and file_digest(path) == package["sha256"] else None


def _link_or_copy(source: Path, place: Path) -> None:
    try:
        shutil.copyfile(source, place)
    except FileNotFoundError:
        msg = f"{source.name} is not where it was locked any more: {source} is gone"
        raise PackageError(msg) from None


def _check(hashes: Hashes, name: str, place: Path) -> None:
    """Refuse a file that has not the hash that is locked."""
    for kind in HASH_KINDS:
        if hashes.get(kind):
            found = file_digest(place, kind)
            if found != hashes[kind]:
                msg = f"{name} is not the one that was locked: its {kind} is {found}, locked is {hashes[kind]}"
                raise PackageError(msg)
            return
    msg = f"{name} was locked without a hash, so it cannot be told whether this is it"
    raise PackageError(msg)


def _download(url: str, place: Path, logins: Mapping[str, str]) -> None:
    try:
        with open_address(url, logins) as answer, place.open("wb") as file:
            shutil.copyfileobj(answer, file, PIECE)
    except (OSError, http.client.HTTPException) as error:
        msg = f"{place.name} cannot be downloaded: {redact(str(getattr(error, 'reason', error)))}"
        raise PackageError(msg) from None


def open_address(url: str, logins: Mapping[str, str]) -> Any:
    """Open an address of a lock, http(s) or file. The login of an index is sent to its own host alone."""
    request = urllib.request.Request(url, headers={"User-Agent": "jupyter-envstore"})  # noqa: S310 - of a lock
    login = logins.get(urlsplit(url).hostname or "")
    if login:
        request.add_unredirected_header("Authorization", f"Basic {login}")
    certificates = os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or None
    context = ssl.create_default_context(cafile=certificates)
    return urllib.request.urlopen(request, timeout=TIMEOUT, context=context)  # noqa: S310 - of a lock


def index_logins(options: PipOptions) -> dict[str, str]:
    """Return host to login, as Basic wants it: of ``~/.netrc``, uv's variables and the indexes of the specification."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError, netrc.NetrcParseError):
        for host, (user, _, password) in netrc.netrc(os.environ.get("NETRC")).hosts.items():
            found[host] = _basic(user or "", password or "")
    names = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL")
    variables = [url for name in names for url in os.environ.get(name, "").split()]
    for url in (*variables, options.index_url or "", *options.extra_index_urls):
        parts = urlsplit(url.rpartition("=")[2] if "=" in url.partition("://")[0] else url)
        if parts.hostname and parts.username:
            found[parts.hostname] = _basic(unquote(parts.username), unquote(parts.password or ""))
    return found


def _basic(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()
