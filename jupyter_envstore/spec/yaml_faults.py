"""What is wrong with a text that is no YAML, in plain words, at the line where it is wrong.

The messages of libyaml 0.2 (``scanner.c``, ``parser.c``, ``reader.c``) and of PyYAML's own reader speak of tokens and
nodes, and often stand lines below the fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from jupyter_envstore.errors import Fault

TAB = "a tab indents this line; YAML wants spaces"
TEMPLATE = "this is a template ('{{ … }}', '{% … %}'); let its program fill it in first"
NEVER_CLOSED = "not YAML: a '{}' opens here and is never closed"
INDENTED = "not YAML: indented otherwise than the lines above that it belongs to"
QUOTED = "not YAML: a text that begins with {} needs quotation marks"
LACKS_COLON = "not YAML: this line needs a ':' behind a key, or a '- ' in front of a list's entry"
CONFLICT = re.compile(r"(<{7}|={7}|>{7})(\s|$)")
LEFT_BY_GIT = "git has left a conflict here ('<<<<<<<', '=======', '>>>>>>>'); choose what shall stay"
UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no YAML text may hold."""
UNKNOWN = "not YAML: this cannot be read; look at quotation marks, brackets and how far the line is indented"
STANDS_BEHIND = (
    "not YAML: something stands behind the end of a text in quotation marks or of brackets; "
    "put it inside, or on a line of its own"
)


@dataclass(frozen=True)
class _Place:
    """What was complained of: the words, their context, the lines and columns of both, and the text."""

    problem: str
    context: str
    line: int
    column: int
    context_line: int
    context_column: int
    lines: list[str]

    def source(self, line: int | None = None) -> str:
        """Return a line of the text."""
        number = self.line if line is None else line
        return self.lines[number] if 0 <= number < len(self.lines) else ""


Told: TypeAlias = tuple[str, "int | None"]
"""A message and, where it is not that of the complaint, the line."""
Explain: TypeAlias = Callable[[_Place], Told]


def syntax_fault(text: str, error: Any) -> Fault:
    """Return the fault that PyYAML's error is about.

    Parameters
    ----------
    text : str
        The whole text.
    error : yaml.YAMLError
        What was raised.
    """
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)  # as YAML breaks them
    position = getattr(error, "position", None)
    if position is not None:
        return _unprintable(text)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Fault(UNKNOWN)
    begin = getattr(error, "context_mark", None) or mark
    place = _Place(
        str(error.problem or ""), str(error.context or ""), mark.line, mark.column, begin.line, begin.column, lines
    )
    line = place.line
    if line >= len(lines) or (not place.source().strip() and line > begin.line):  # the end of the text
        line = max((n for n, content in enumerate(lines[: line + 1]) if content.strip()), default=0)
    message, found = _explain(place)
    return Fault(message, (found if found is not None else line) + 1)


def _unprintable(text: str) -> Fault:
    bad = UNPRINTABLE.search(text)
    if bad is None:
        return Fault(UNKNOWN)
    line = len(re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text[: bad.start()]))
    return Fault(
        f"not YAML: a character that cannot be seen (U+{ord(bad[0]):04X}) stands in this line; delete it", line
    )


def _explain(place: _Place) -> Told:
    """Return plain words and, where it is not that of the complaint, the line."""
    problem, source = place.problem, place.source()
    begun = place.source(place.context_line)
    if "nesting depth" in problem:
        return "nested more than 16 levels deep", None
    if "\t" in source[: len(source) - len(source.lstrip())] or "tab character" in problem:
        return TAB, None
    if re.search(r"\{\{|\{%", source) or re.search(r"\{\{|\{%", begun):
        return TEMPLATE, place.line if re.search(r"\{\{|\{%", source) else place.context_line
    if CONFLICT.match(source) or CONFLICT.match(begun):
        return LEFT_BY_GIT, place.line if CONFLICT.match(source) else place.context_line
    if source.startswith("%") and "directive" in place.context.lower():
        return _directive(place)
    for words, explain in _WORDS:
        if re.search(words, problem):
            return explain(place)
    for words, explain in _WORDS:
        if re.search(words, place.context):
            return explain(place)
    return UNKNOWN, None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _cannot_start(place: _Place) -> Told:
    sign = place.source()[place.column : place.column + 1]
    if sign == "%" and not place.column:
        return _directive(place)
    if sign == "\t":
        return TAB, None
    return QUOTED.format(f"'{sign}'"), None


def _second_colon(place: _Place) -> Told:
    before = place.source()[: place.column]
    if re.search(r":\s", before):
        return "not YAML: two ':' on one line; put quotation marks around the text that holds one", None
    if place.source().startswith("--- "):
        return "not YAML: '---' has a line of its own", None
    above = next((n for n in range(place.line - 1, -1, -1) if place.source(n).strip()), None)
    lacks = place.source(above).strip() if above is not None else ""
    if lacks and _indent(place.source(above)) == _indent(place.source()) and not lacks.startswith("- "):
        hint = "; its space is another sign (U+00A0)" if "\xa0" in lacks else ""
        return f"{LACKS_COLON}{hint}", above
    return (
        "not YAML: the line above goes on into this one, which has a ':' of its own; "
        "the line above may lack a ':', or one of them is indented too far",
        None,
    )


def _expected_key(place: _Place) -> Told:
    before = place.source()[: place.column].strip()
    if before and before != "-":
        return STANDS_BEHIND, None
    above = next((content for content in reversed(place.lines[: place.line]) if content.strip()), "")
    if place.source().lstrip().startswith("- ") and not above.lstrip().startswith("- "):
        return (
            "not YAML: an entry of a list ('- ') stands where a key is expected; indent it below its key, "
            "and write a ':' behind the key",
            None,
        )
    return INDENTED, None


def _flow(opening: str, closing: str) -> Explain:
    def explain(place: _Place) -> Told:
        rest = place.source()[place.column :]
        if place.line == place.context_line and closing in rest:
            shown = rest.strip()[:30]
            return f"not YAML: a ',' is missing between '{opening}' and '{closing}', before: {shown}", None
        return NEVER_CLOSED.format(opening), place.context_line

    return explain


def _missing_content(place: _Place) -> Told:
    sign = place.source()[place.column : place.column + 1]
    if sign in ("]", "}", ","):
        return f"not YAML: something is missing before '{sign}'", None
    if "flow" in place.context and not sign:
        return _unclosed(place)
    return UNKNOWN if not sign else f"not YAML: '{sign}' stands where a text is expected; {_quotes(sign)}", None


def _unclosed(place: _Place) -> Told:
    for line in range(place.line, -1, -1):
        found = re.search(r"[\[{]", re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "", place.source(line)))
        if found:
            return NEVER_CLOSED.format(found[0]), line
    return UNKNOWN, None


def _quotes(sign: str) -> str:
    return "put quotation marks around a text that begins with it" if not sign.isalnum() else "look at the line above"


def _outside(place: _Place) -> Told:
    if place.source().startswith("%"):
        return _directive(place)
    before = place.source()[: place.column].strip()
    if before and not before.startswith(("---", "...")):
        return STANDS_BEHIND, None
    return (
        "not YAML: this does not belong to what stands above; a specification is one mapping, such as "
        "dependencies: [python], from its first line to its last",
        None,
    )


def _directive(place: _Place) -> Told:
    return "not YAML: a line must not begin with '%'; delete it, or put quotation marks around the text", None


def _second_document(place: _Place) -> Told:
    return "a second document begins here ('---'); a file has one specification: split it, or delete the line", None


def _alias(place: _Place) -> Told:
    found = re.match(r"[*&]([^\s,\]}]*)", place.source()[place.column :])
    name = found[1] if found else ""
    quoted = "a text that begins with '*' needs quotation marks"
    return f"not YAML: '*{name}' refers to '&{name}', which stands nowhere above; {quoted}", None


def _anchor(place: _Place) -> Told:
    sign = place.source(place.context_line)[place.context_column : place.context_column + 1]
    return QUOTED.format(f"'{sign}'" if sign in ("*", "&") else "'*' or '&'"), place.context_line


def _said(message: str, at_context: bool = False) -> Explain:
    return lambda place: (message, place.context_line if at_context else None)


_WORDS: tuple[tuple[str, Explain], ...] = (
    ("another document|single document", _second_document),
    ("undefined alias", _alias),
    (
        "duplicate anchor|second occurrence",
        _said("not YAML: a name behind '&' stands twice; write the text out instead"),
    ),
    ("cannot start any token", _cannot_start),
    (
        "sequence entries are not allowed",
        _said("not YAML: '- ' stands behind something else; an entry begins its line"),
    ),
    ("mapping values are not allowed", _second_colon),
    ("mapping keys are not allowed", _said(QUOTED.format("'?'"))),
    ("unexpected ':'", _said("not YAML: a ':' between brackets; put quotation marks around the text that holds it")),
    ("expected ',' or ']'", _flow("[", "]")),
    ("expected ',' or '}'", _flow("{", "}")),
    ("expected key$|expected '-' indicator|expected <block end>", _expected_key),
    ("document start|stream-start", _outside),
    ("node content", _missing_content),
    (
        "tag handle|tag URI|expected '!'|expected '>'|the expected '>'|octet|URI|non-specific tag",
        _said(QUOTED.format("'!'"), at_context=True),
    ),
    (
        "escape|hexdecimal|hexadecimal",
        _said('not YAML: between " and " a backslash begins a code; use \' instead of ", or write it twice'),
    ),
    ("comment or (a )?line break|indentation indicator|chomping", _said(QUOTED.format("'>' or '|'"), at_context=True)),
    (
        "document (indicator|separator)",
        _said("not YAML: a quotation mark opens here and is never closed", at_context=True),
    ),
    ("alphabetic or numeric", lambda place: _directive(place) if "directive" in place.context else _anchor(place)),
    ("directive|version number|expected digit|incompatible YAML|duplicate %|whitespace", _directive),
    (
        "expected ':'",
        _said(LACKS_COLON, at_context=True),
    ),
    ("invalid indentation", _said(INDENTED)),
    # what was begun, where what is wrong tells nothing
    ("quoted scalar", _said("not YAML: a quotation mark opens here and is never closed", at_context=True)),
    (
        "simple key",
        _said(LACKS_COLON, at_context=True),
    ),
    ("flow sequence", _flow("[", "]")),
    ("flow mapping", _flow("{", "}")),
    ("directive", _directive),
    ("tag", _said(QUOTED.format("'!'"), at_context=True)),
    ("anchor|alias", _anchor),
)
"""What libyaml and PyYAML say, and what it is in plain words; the first that fits counts."""
