"""Values as TOML writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

BARE = re.compile(r"[A-Za-z0-9_-]+")


def toml_string(text: str) -> str:
    """Return a text as a basic string of TOML.

    >>> print(toml_string('a "b"'))
    "a \\"b\\""
    """
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")  # JSON's strings are written in the same way


def toml_key(text: str) -> str:
    """Return a text as a key of TOML: bare where that is allowed."""
    return text if BARE.fullmatch(text) else toml_string(text)


def toml_list(texts: Iterable[str]) -> str:
    """Return texts as an array of TOML."""
    return f"[{', '.join(map(toml_string, texts))}]"


def toml_table(values: Mapping[str, str | Iterable[str]]) -> str:
    """Return texts, or lists of texts, as an inline table of TOML."""
    pairs = (
        f"{toml_key(key)} = {toml_string(value) if isinstance(value, str) else toml_list(value)}"
        for key, value in values.items()
    )
    return f"{{ {', '.join(pairs)} }}"
