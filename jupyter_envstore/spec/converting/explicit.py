"""``@EXPLICIT`` lists, as ``conda list --explicit`` and conda-lock write them, as locks."""

from __future__ import annotations

import re

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.addresses import file_of, masked
from jupyter_envstore.spec.lock_entries import CondaLockfile, Hashes, LockfileEntry
from jupyter_envstore.spec.locks import VIRTUAL, channels_of_files, converted_lock

MAX_LINE = 4000
CONDA_FILE = re.compile(r"(.+)-([^-]+)-([^-]+)\.(?:conda|tar\.bz2)")


def explicit_to_lock(text: str, name: str, here: str) -> tuple[CondaLockfile, list[str]]:
    """Return an ``@EXPLICIT`` list as a lock, and notes; every address needs a hash behind ``#``.

    Lines ``# pip name @ address#sha256=…``, which conda-lock and our own lists have, become packages too. Packages
    for no platform alone stand for ``here``.

    Raises
    ------
    SpecificationError
        Addresses that are none, or lack a hash, each with its line.
    """
    packages: list[LockfileEntry] = []
    faults, platforms, pip = [], [], 0
    virtual: dict[str, None] = {}
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
        if entry["name"].startswith("__"):
            virtual[entry["name"]] = None
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
    notes = [f"{pip} PyPI packages read from comments"] if pip else []
    notes += [f"{', '.join(virtual)[:300]} left out: {VIRTUAL}"] if virtual else []
    notes += [f"the list is for {platform}, and can be installed there alone"] if platform != here else []
    return converted_lock(name, packages, channels_of_files(packages), [platform]), notes


def _pip_comment(line: str) -> LockfileEntry | str | None:
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
    file = file_of(url)
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
    return masked(line)[:80]


def _explicit_entry(line: str) -> LockfileEntry | str:
    url, _, digest = line.partition("#")
    parts = url.partition("?")[0].partition("://")[2].split("/")
    match = CONDA_FILE.fullmatch(file_of(url))
    if len(parts) < 3 or not match:
        return f"{_shown(line)!r} is not the address of a conda package"
    digest = digest.removeprefix("sha256:")
    hashes = _hashes(digest)
    if not hashes and not match.group(1).startswith("__"):  # those of virtual packages are left out
        return f"{match.group()} has no hash; make the list with: conda list --explicit --md5"
    return {
        "name": match.group(1),
        "version": match.group(2),
        "manager": "conda",
        "platform": parts[-2],
        "dependencies": {},
        "url": url,
        "hash": hashes,
        "category": "main",
        "optional": False,
    }


def _hashes(digest: str) -> Hashes:
    """Return a hash with its kind, which its length tells; nothing where it is none."""
    if not re.fullmatch(r"[0-9a-f]+", digest):
        return {}
    return {"md5": digest} if len(digest) == 32 else {"sha256": digest} if len(digest) == 64 else {}
