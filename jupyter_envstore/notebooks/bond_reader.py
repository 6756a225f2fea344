"""Bonds that notebooks hold, read: a notebook comes from anybody, so nothing in it is taken for granted."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from jupyter_envstore.engine.record import BuildRecord
from jupyter_envstore.engine.record_reader import MAX_BYTES, read_foreign_record
from jupyter_envstore.errors import InvalidInputError, SpecificationError
from jupyter_envstore.notebooks.bond import LOCK_ENCODING, VERSION, Bond
from jupyter_envstore.spec.addresses import masked
from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.match_specs import check_channel, check_match_spec
from jupyter_envstore.spec.names import check_name
from jupyter_envstore.spec.pip_lines import parse_pip_line, read_hashed
from jupyter_envstore.spec.selectors import PLATFORMS

MAX_LINES = 1_000
MAX_LINE = 1_000
MAX_NUMBER = 2**31 - 1
MEMORY = 256 * 1024 * 1024
"""Bytes that the decompression of a lock may take."""
RECORD = re.compile(r"sha256:[0-9a-f]{64}")


def read_bond(value: object) -> Bond:
    """Return the bond that a notebook has as ``metadata.envstore``, without keys that are not known.

    Raises
    ------
    InvalidInputError
        It has another form; the message names the key.
    """
    if not isinstance(value, Mapping):
        msg = "metadata.envstore of the notebook is not a mapping; run a cell to have it written anew"
        raise InvalidInputError(msg)
    version = value.get("version")
    if type(version) is not int or version < 1:
        _refuse("version", f"must be {VERSION}")
    if version > VERSION:
        _refuse("version", f"is {str(version)[:20]}; this version reads {VERSION}: update jupyter-envstore")
    bond: Bond = {
        "version": VERSION,
        "namespace": _name(value, "namespace"),
        "environment": _name(value, "environment"),
        "build": _number(value, "build", 1),
        "record": _text(value, "record"),
        "channels": _lines(value, "channels", _channel),
        "packages": _lines(value, "packages", _match_spec),
        "pip": _lines(value, "pip", _requirement),
        "platforms": _lines(value, "platforms", _platform),
    }
    if not RECORD.fullmatch(bond["record"]):
        _refuse("record", "must be sha256: and 64 characters of 0-9 a-f")
    if "left_out" in value:
        bond["left_out"] = _number(value, "left_out", 0)
    if "store" in value:
        bond["store"] = _text(value, "store")
        if not re.fullmatch(r"https?://[^\s@?#\"'<>\\]+", bond["store"]):
            _refuse("store", "must be an http or https address")
    if value.get("lock") is not None:
        lock = value["lock"]
        if not isinstance(lock, Mapping) or not isinstance(lock.get("data"), str):
            _refuse("lock", "must be a mapping with data")
        if lock.get("encoding") != LOCK_ENCODING:
            _refuse("lock", f"must have the encoding {LOCK_ENCODING}")
        bond["lock"] = {"encoding": LOCK_ENCODING, "size": len(lock["data"]), "data": lock["data"]}
    return bond


def embedded_record(bond: Bond, allow_local_files: bool) -> BuildRecord | None:
    """Return the build record that a notebook holds; None where it holds none.

    Raises
    ------
    SpecificationError
        It is damaged, is not the one that the notebook names, or is no build record.
    """
    lock = bond.get("lock")
    if lock is None:
        return None
    import lzma

    try:
        packed = base64.b64decode(lock["data"], validate=True)
        reader = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
        data = reader.decompress(packed, max_length=MAX_BYTES + 1)
    except (binascii.Error, ValueError, lzma.LZMAError, EOFError):
        msg = "the lock in the notebook is damaged: it cannot be decoded"
        raise SpecificationError(msg) from None
    if len(data) > MAX_BYTES:
        msg = f"the lock in the notebook is larger than {MAX_BYTES} bytes"
        raise SpecificationError(msg)
    if not reader.eof:
        msg = "the lock in the notebook is damaged: its end is missing"
        raise SpecificationError(msg)
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != bond["record"]:
        msg = "the lock in the notebook is not that of the build which the notebook names; one of them was changed"
        raise SpecificationError(msg)
    return read_foreign_record(data, allow_local_files)


def requested_text(bond: Bond) -> str:
    """Return what a notebook asked for as an ``environment.yml``; empty where it tells nothing."""
    if not bond["packages"] and not bond["pip"]:
        return ""
    return Draft(
        name=bond["environment"],
        channels=list(bond["channels"]),
        conda=list(bond["packages"]),
        pip=list(bond["pip"]),
    ).to_yaml()


def _refuse(key: str, what: str) -> NoReturn:
    raise InvalidInputError(masked(f"metadata.envstore of the notebook: {key} {what}")) from None


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key)
    if not isinstance(found, str) or len(found) > MAX_LINE:
        _refuse(key, f"must be text of at most {MAX_LINE} characters")
    return found


def _name(value: Mapping[str, object], key: str) -> str:
    text = _text(value, key)
    try:
        return check_name(key, text)
    except InvalidInputError as error:
        _refuse(key, f"cannot be used: {error}")


def _number(value: Mapping[str, object], key: str, least: int) -> int:
    found = value.get(key)
    if type(found) is not int or not least <= found <= MAX_NUMBER:
        _refuse(key, f"must be a whole number of at least {least}")
    return found


def _lines(value: Mapping[str, object], key: str, read: Callable[[str], str]) -> list[str]:
    """Return lines as ``read`` gives them, which refuses some with a ValueError."""
    found = value.get(key)
    if not isinstance(found, list) or len(found) > MAX_LINES:
        _refuse(key, f"must be a list of at most {MAX_LINES} texts")
    lines = []
    for line in found:
        if not isinstance(line, str) or len(line) > MAX_LINE:
            _refuse(key, f"has {json.dumps(line)[:60]}, which is no text of at most {MAX_LINE} characters")
        try:
            line.encode()
            lines.append(read(line))
        except ValueError as error:
            _refuse(key, f"has {line[:100]!r}: {str(error).splitlines()[0]}")
    return lines


def _channel(line: str) -> str:
    check_channel(line, False)
    return line


def _match_spec(line: str) -> str:
    check_match_spec(line, False)
    return line


def _requirement(line: str) -> str:
    """Return a requirement as the specification has it: with a name, without a comment."""
    read = parse_pip_line(line, False)
    if read is None or read.requirement is None:
        msg = "is no requirement"
        raise ValueError(msg)
    read_hashed(read.requirement)
    return read.requirement


def _platform(name: str) -> str:
    if name not in PLATFORMS:
        msg = "is no platform that is known"
        raise ValueError(msg)
    return name
