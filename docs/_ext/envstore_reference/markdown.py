"""Write Markdown, and have Sphinx read it where a directive stands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

SPECIAL = re.compile(r"([\\*_<>\[\]{}|#$~])")
CODE = re.compile(r"(`[^`]+`)")


class MarkdownDirective(SphinxDirective):
    """A directive whose content is Markdown made by the code."""

    def markdown(self) -> str:
        """Return the text."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the text as a part of the page, with its headings."""
        return self.parse_text_to_nodes(self.markdown(), allow_section_headings=True)


def plain(text: str) -> str:
    """Return a text with the characters escaped that Markdown would read; code between backticks stays."""
    parts = CODE.split(" ".join(text.split()))
    return "".join(part if CODE.fullmatch(part) else SPECIAL.sub(r"\\\1", part) for part in parts)


def code(value: object) -> str:
    """Return a value as code, as JSON writes it; a text as it is, an empty one as a word."""
    text = value if isinstance(value, str) else json.dumps(value)
    if not text:
        return "empty"
    return f"``{text}``" if "`" in text else f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already. Vertical bars in them are escaped, in code too."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def entry(kind: str, name: str, options: dict[str, Any], body: str) -> str:
    """Return a directive that describes one thing, with an entry in the index."""
    lines = [f"````{{{kind}}} {name}", *(f":{key}: {value}" for key, value in options.items() if value != "")]
    return "\n".join([*lines, "", body, "````", ""])
