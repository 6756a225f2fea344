"""YAML text in, plain values that know their line out, within limits."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.yaml_faults import TEMPLATE, syntax_fault

MAX_BYTES = 4 * 2**20
MAX_DEPTH = 16
MAX_NODES = 400_000
TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"

SIGNATURES = {
    b"%PDF": "PDF",
    b"PK\x03\x04": "zip archive",
    b"\x1f\x8b": "gzip file",
    b"\x89PNG": "PNG image",
    b"\x7fELF": "program",
}


class Text(str):
    """A scalar as it was written, with its 1-based line and YAML kind (``str``, ``int``, ``bool`` …).

    ``span`` are the places of its first character and behind its last one in the text, quotes included.
    """

    line: int
    kind: str
    span: tuple[int, int]

    def __new__(cls, value: str, line: int, kind: str, span: tuple[int, int] = (0, 0)) -> Text:
        text = super().__new__(cls, value)
        text.line = line
        text.kind = kind
        text.span = span
        return text


class Items(list["Value"]):
    """A list with its line and span; ``flow`` where it is written ``[a, b]``."""

    line = 0
    span = (0, 0)
    flow = False


class Table(dict[str, "Value"]):
    """A mapping with its line and span, the lines of its keys, and the spans from key to the end of the value."""

    line = 0
    span = (0, 0)
    flow = False

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}
        self.spans: dict[str, tuple[int, int]] = {}


Value: TypeAlias = Text | Items | Table | None


@dataclass
class Document:
    """What was read, and the faults that did not stop the reading (duplicate keys)."""

    root: Value
    faults: list[Fault] = field(default_factory=list)


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
        msg = (
            f"{name} is not an environment file ({kind or 'binary data'}, {len(raw):,} bytes). Accepted: "
            "environment.yml, conda-lock.yml, requirements.txt, an @EXPLICIT list, pixi.toml"
        )
        raise SpecificationError(msg)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):  # PowerShell's redirection
        with contextlib.suppress(UnicodeDecodeError):
            return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        msg = "not UTF-8 text; save the file as UTF-8"
        raise SpecificationError([Fault(msg, line)]) from None


def read_table(text: str) -> Table:
    """Read a YAML document that is a mapping.

    Raises
    ------
    SpecificationError
        It is none, or :func:`read_yaml` refuses it.
    """
    root = read_yaml(text).root
    if not isinstance(root, Table):
        msg = "an environment file is a mapping with at least: dependencies: [python]"
        raise SpecificationError(msg)
    return root


def is_lockfile(root: Table) -> bool:
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
        _check_depth(yaml.parse(text, Loader=loader))
        node = yaml.compose(text, Loader=loader)
    except yaml.YAMLError as error:
        raise SpecificationError([syntax_fault(text, error)]) from None
    if node is None:
        msg = "the file is empty; it needs at least: dependencies: [python]"
        raise SpecificationError(msg)
    document = Document(None)
    document.root = _Converter(document).convert(node, 0)
    return document


def _check_depth(events: Any) -> None:
    depth = 0
    for event in events:
        kind = type(event).__name__
        if kind in ("MappingStartEvent", "SequenceStartEvent"):
            depth += 1
            if depth > MAX_DEPTH:
                raise SpecificationError([Fault(TOO_DEEP, event.start_mark.line + 1)])
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            depth -= 1


def _span(node: Any) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


class _Converter:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.count = 0

    def convert(self, node: Any, depth: int) -> Value:
        self.count += 1
        line = node.start_mark.line + 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            msg = "anchors repeat too much of this file; write it out without anchors"
            raise SpecificationError([Fault(msg, line)])
        if node.id == "scalar":
            kind = node.tag.rsplit(":", 1)[-1]
            return None if kind == "null" else Text(node.value, line, kind, _span(node))
        if node.id == "sequence":
            items = Items(self.convert(child, depth + 1) for child in node.value)
            items.line, items.span, items.flow = line, _span(node), bool(node.flow_style)
            return items
        return self._table(node, depth, line)

    def _table(self, node: Any, depth: int, line: int) -> Table:
        table = Table()
        table.line, table.span, table.flow = line, _span(node), bool(node.flow_style)
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if key_node.id != "scalar":
                pairs = key_node.value if key_node.id == "mapping" else []  # {{ name }} is a mapping as a key
                is_template = bool(pairs) and all(value.tag.endswith(":null") for _, value in pairs)
                self.document.faults.append(Fault(TEMPLATE if is_template else "a key must be a word", key_line))
                continue
            key = key_node.value
            if key in table:
                first = table.lines[key]
                self.document.faults.append(Fault(f"key {key!r} stands twice (first on line {first})", key_line))
                continue
            table.lines[key] = key_line
            table.spans[key] = key_node.start_mark.index, value_node.end_mark.index
            table[key] = self.convert(value_node, depth + 1)
        return table
