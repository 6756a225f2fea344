"""The bond of a notebook and its environment: ``metadata.envstore`` of a notebook file.

It names the environment and the build that the notebook was written in, and tells enough to have the same elsewhere:
the hash of the build record, with which any store finds it, and what was asked for. It holds no path, user name,
password or variable. ``metadata`` is where nbformat lets tools keep what is theirs ("Metadata" in its documentation).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import TypedDict

from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.spec.address_reach import reach_of

VERSION = 1
"""Goes up when older readers would take a bond for something else."""
REQUESTED_BYTES = 1400
"""How much of what was asked for a bond holds, as JSON; with the rest, it stays under 2 kB."""
LOCK_ENCODING = "xz+base64"
_PATH = re.compile(r"(?:^|[\s=@,\"'])(?:\.{0,2}/|~(?!=)|file:)", re.IGNORECASE)
"""Where a line names a path of this machine: as a requirement, behind an option, or as ``name @ file:…`` (PEP 508)."""
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


class EmbeddedLock(TypedDict):
    """A whole build record in a notebook.

    ``data`` is the record's canonical JSON, compressed (xz) and in base64 without line breaks; ``size`` is the length
    of ``data``, in characters.
    """

    encoding: str
    size: int
    data: str


class BondOptional(TypedDict, total=False):
    """The keys of a :class:`Bond` that may be missing."""

    store: str
    left_out: int
    lock: EmbeddedLock


class Bond(BondOptional):
    """What a notebook remembers of its environment.

    ``build`` is the number of the build within the environment; ``record`` is ``sha256:`` and the hash of its build
    record. ``packages`` and ``pip`` are the lines that were asked for; ``left_out`` says how many more there were.
    ``store`` is the public address of the store that has it.
    """

    version: int
    namespace: str
    environment: str
    build: int
    record: str
    channels: list[str]
    packages: list[str]
    pip: list[str]
    platforms: list[str]


def bond_of(
    record: BuildRecord, digest: str, namespace: str, environment: str, number: int, store: str = "", lock: bool = False
) -> Bond:
    """Return the bond with a build.

    Parameters
    ----------
    digest : str
        Hexadecimal SHA-256 of the record.
    number : int
        The number of the build within its environment.
    store : str
        The address of the store for others; empty where it has none.
    lock : bool
        Whether the whole record goes in.
    """
    channels = [channel for channel in record.channels if _travels(channel)]
    asked = {"channels": channels, "packages": record.requested_conda, "pip": record.requested_pip}
    kept, left_out = _fitting(asked)
    left_out += len(record.channels) - len(channels)
    bond: Bond = {
        "version": VERSION,
        "namespace": namespace,
        "environment": environment,
        "build": number,
        "record": f"sha256:{digest}",
        "channels": kept["channels"],
        "packages": kept["packages"],
        "pip": kept["pip"],
        "platforms": sorted(record.platforms),
    }
    if left_out:
        bond["left_out"] = left_out
    if store:
        bond["store"] = store
    if lock:
        bond["lock"] = embedded_lock(record)
    return bond


def embedded_lock(record: BuildRecord) -> EmbeddedLock:
    """Return a record as it is put into a notebook."""
    import lzma

    data = base64.b64encode(lzma.compress(record.to_bytes(), preset=lzma.PRESET_EXTREME)).decode("ascii")
    return {"encoding": LOCK_ENCODING, "size": len(data), "data": data}


def _fitting(asked: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], int]:
    """Return as many of the lines as a bond holds, and how many are left out: too many, or of this machine alone."""
    kept: dict[str, list[str]] = {}
    left_out = 0
    free = REQUESTED_BYTES
    for key, lines in asked.items():
        kept[key] = []
        for line in lines:
            size = len(json.dumps(line)) + 2
            if size > free or not may_travel(line):
                left_out += 1
            else:
                free -= size
                kept[key].append(line)
    return kept, left_out


def may_travel(line: str) -> bool:
    """Whether a line of a specification means something elsewhere: it has no path and no address of this machine."""
    return all(_travels(address) for address in _ADDRESS.findall(line)) and not _PATH.search(line)


def _travels(address: str) -> bool:
    """Whether an address means something elsewhere; a path of this machine does not, and is nobody's business."""
    return reach_of(address) != "here" or address.lower().startswith(("http://", "https://"))
