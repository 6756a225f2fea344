"""Large texts as plain values, fast: what a lockfile says, without where in the text it stands.

Where each value stands is half of the work of reading, and is wanted for faults alone. So a lockfile is read this way
first; one that has a fault, or is written in an unusual way (anchors, tags, a key that stands twice), is read again
with :func:`~jupyter_envstore.spec.document.read_yaml`, which says what is wrong and on which line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

from jupyter_envstore.spec.yaml_faults import UNPRINTABLE
from jupyter_envstore.spec.yaml_values import MAX_DEPTH, MAX_NODES, kind_of_words, without_collections

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | bool | None"
"""A value of a text: as JSON would hold it, but that numbers stay texts, as they were written."""

LOCK_KEYS = re.compile(r"^(['\"]?)(package|packages|metadata|environments)\1\s*:", re.MULTILINE)
FLOW = re.compile(r"(?:\s|#[^\n]*\n|---[^\n]*\n)*\{")
"""The beginning of a mapping in braces, as JSON has it, behind comments."""


class _UnusualError(Exception):
    """The text is read the slow way."""


def read_plain(text: str) -> dict[str, Plain] | None:
    """Return the mapping that a text is; None where it is none, has a fault, or is written in an unusual way.

    Parameters
    ----------
    text : str
        YAML, or JSON.
    """
    import yaml

    with without_collections():
        if text.lstrip().startswith("{"):
            found = _read_json(text)
            if found is not None:
                return found
        try:
            root = _compose(text)
        except (yaml.YAMLError, _UnusualError):
            return None
    return root if isinstance(root, dict) else None


def read_plain_lock(text: str) -> dict[str, Plain] | None:
    """Return the mapping of a text that looks like a lockfile; None for others, and as :func:`read_plain` does."""
    return read_plain(text) if looks_like_lock(text) else None


def looks_like_lock(text: str) -> bool:
    """Whether a text has keys that only lockfiles have, or is JSON, which may be one."""
    return FLOW.match(text) is not None or LOCK_KEYS.search(text) is not None


def _read_json(text: str) -> dict[str, Plain] | None:
    """Return an object of JSON, where YAML would read the same: its codes of characters are others."""
    if "\\u" in text or UNPRINTABLE.search(text):
        return None
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError, _UnusualError):
        return None
    return found if isinstance(found, dict) and _depth_is_right(found) else None


def _without_twins(pairs: list[tuple[str, Plain]]) -> dict[str, Plain]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _UnusualError
    return found


def _depth_is_right(root: Plain) -> bool:
    """Whether a value is nested and as large as YAML may be here."""
    level, count = [root], 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        level = [item for value in level if isinstance(value, dict | list) for item in _inside(value)]
        if not level:
            return count <= MAX_NODES
    return False


def _inside(value: dict[str, Plain] | list[Plain]) -> Iterator[Plain]:
    return iter(value.values() if isinstance(value, dict) else value)


class _Words(dict[str, Plain]):
    """Words without quotes, and what each means."""

    def __missing__(self, word: str) -> Plain:
        kind = kind_of_words()(word)
        value: Plain = word
        if kind == "null":
            value = None
        elif kind == "bool":
            value = word.lower() in ("true", "yes", "on")
        self[word] = value
        return value


def _compose(text: str) -> Plain:
    """Put the values of one document together from libyaml's events.

    Raises
    ------
    YAMLError
        It is not YAML.
    _UnusualError
        It has what the slow way is for.
    """
    import yaml
    from yaml.events import AliasEvent, DocumentStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent
    from yaml.events import CollectionEndEvent as EndEvent

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    words = _Words()
    root: list[Plain] = []
    container: Any = root
    is_table = False
    key: str | None = None
    opened: list[tuple[Any, bool]] = []
    documents = count = 0
    for event in iter(loader(text).get_event, None):
        kind = event.__class__
        if kind is ScalarEvent:
            if event.anchor or event.tag:
                raise _UnusualError
            value: Any = event.value
            if is_table and key is None:
                if value in container:
                    raise _UnusualError
                key = value
                continue
            if event.implicit[0]:
                value = words[value]
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.anchor or event.tag or len(opened) >= MAX_DEPTH or (is_table and key is None):
                raise _UnusualError
            value = {} if kind is MappingStartEvent else []
        elif issubclass(kind, EndEvent):
            container, is_table = opened.pop()
            continue
        elif kind is AliasEvent:
            raise _UnusualError
        else:
            documents += kind is DocumentStartEvent
            continue
        count += 1
        if is_table:
            container[key] = value
            key = None
        else:
            container.append(value)
        if kind is not ScalarEvent:
            opened.append((container, is_table))
            container, is_table = value, kind is MappingStartEvent
    if documents != 1 or count > MAX_NODES:
        raise _UnusualError
    return root[0]
