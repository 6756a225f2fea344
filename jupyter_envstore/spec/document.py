"""YAML text in, plain values that know their line out, within limits."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.located_values import Items, Table, Text, Value
from jupyter_envstore.spec.wording import ACCEPTED
from jupyter_envstore.spec.yaml_faults import syntax_fault
from jupyter_envstore.spec.yaml_values import MAX_DEPTH, MAX_NODES, Composer

__all__ = ["MAX_DEPTH", "MAX_NODES", "Document", "Items", "Table", "Text", "Value", "decode", "read_yaml"]

MAX_BYTES = 4 * 2**20

SIGNATURES = {
    b"%PDF": "PDF",
    b"PK\x03\x04": "zip archive",
    b"\x1f\x8b": "gzip file",
    b"\x89PNG": "PNG image",
    b"\x7fELF": "program",
}


@dataclass
class Document:
    """What was read, and the faults that did not stop the reading (duplicate keys)."""

    root: Value
    faults: list[Fault] = field(default_factory=list)
    has_aliases: bool = False


def decode(data: bytes | str, name: str = "the file") -> str:
    """Return the text of ``data``.

    Raises
    ------
    SpecificationError
        It is too large, binary, or not UTF-8.
    """
    try:
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    except UnicodeEncodeError:
        msg = f"{name} holds halves of characters; save it as UTF-8"
        raise SpecificationError(msg) from None
    if len(raw) > MAX_BYTES:
        msg = f"{name} has {len(raw) / 2**20:.1f} MB; a specification has at most {MAX_BYTES >> 20} MB"
        raise SpecificationError(msg)
    kind = next((kind for magic, kind in SIGNATURES.items() if raw.startswith(magic)), None)
    wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    if kind or (b"\0" in raw and not wide):
        msg = f"{name} is not an environment file ({kind or 'binary data'}, {len(raw):,} bytes). Accepted: {ACCEPTED}"
        raise SpecificationError(msg)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):  # PowerShell's redirection
        with contextlib.suppress(UnicodeDecodeError):
            return _with_line_breaks(raw.decode("utf-16"))
    try:
        return _with_line_breaks(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        msg = "not UTF-8 text; save the file as UTF-8"
        raise SpecificationError([Fault(msg, line)]) from None


def _with_line_breaks(text: str) -> str:
    """Return a text in which a carriage return alone, which ended lines on Macs long ago, is a line break."""
    return re.sub(r"\r(?!\n)", "\n", text) if "\r" in text else text


def read_table(text: str) -> Table:
    """Read a YAML document that is a mapping.

    Raises
    ------
    SpecificationError
        It is none, or :func:`read_yaml` refuses it.
    """
    return table_of(read_yaml(text))


def table_of(document: Document) -> Table:
    """Return the mapping that a document is.

    Raises
    ------
    SpecificationError
        It is none.
    """
    root = document.root
    if not isinstance(root, Table):
        msg = "an environment file is a mapping with at least: dependencies: [python]"
        raise SpecificationError(msg)
    return root


def is_lockfile(root: Mapping[str, Any]) -> bool:
    """Whether a document is a lockfile in conda-lock's format, and no specification."""
    return "package" in root and "metadata" in root


def read_yaml(text: str) -> Document:
    """Read one YAML document.

    Raises
    ------
    SpecificationError
        The text is empty, not YAML, nested or repeated beyond the limits.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        composer = Composer(iter(loader(text).get_event, None))  # without yaml.parse's question before each event
        composer.compose()
    except yaml.YAMLError as error:
        raise SpecificationError([syntax_fault(text, error)]) from None
    if composer.is_empty:
        msg = "the file is empty; it needs at least: dependencies: [python]"
        raise SpecificationError(msg)
    return Document(composer.root, composer.faults, composer.has_aliases)
