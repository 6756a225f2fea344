"""A text that is no YAML is told in plain words, at the line where it goes wrong, whichever reader is there."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.yaml_faults import UNKNOWN, syntax_fault

CASES = [
    ("dependencies:\n  - numpy\n\t- scipy\n", 3, "a tab indents"),
    ("dependencies:\n  - @numpy\n", 2, "begins with '@' needs quotation marks"),
    ("description: `x`\n", 1, "begins with '`' needs quotation marks"),
    ("description: %x\n", 1, "begins with '%' needs quotation marks"),
    ("name: a\n---\nname: b\n", 2, "a second document begins here"),
    ("name: a\n...\nname: b\n", 3, "does not belong to what stands above"),
    ("{name: a}\ndependencies: [numpy]\n", 2, "does not belong to what stands above"),
    (" name: a\ndependencies: [numpy]\n", 2, "does not belong to what stands above"),
    ("--- name: a\n", 1, "'---' has a line of its own"),
    ("name: a: b\n", 1, "two ':' on one line"),
    ("dependencies:\n  - numpy: a: b\n", 2, "two ':' on one line"),
    ("dependencies:\n  - numpy\n    pip: x\n", 3, "the line above goes on into this one"),
    ("name a\ndependencies:\n  - numpy\n", 1, "needs a ':' behind a key"),
    ("name:\u00a0a\ndependencies:\n  - numpy\n", 1, "another sign (U+00A0)"),
    ("name: a\nchannels\n  - x\ndependencies: [numpy]\n", 2, "needs a ':' behind a key"),
    ("name: 'a' b\n", 1, "behind the end of a text in quotation marks"),
    ("dependencies: [numpy] scipy\n", 1, "behind the end of a text in quotation marks or of brackets"),
    ("name: a\n- numpy\n", 2, "an entry of a list ('- ') stands where a key is expected"),
    ("dependencies:\n  - numpy\n - scipy\n", 3, "indented otherwise"),
    ("dependencies: - numpy\n", 1, "an entry begins its line"),
    ("dependencies: [numpy\nname: a\n", 1, "a '[' opens here and is never closed"),
    ("variables: {A: 1\nname: a\n", 1, "a '{' opens here and is never closed"),
    ("dependencies: ['numpy' 'scipy']\n", 1, "a ',' is missing between '[' and ']', before: 'scipy']"),
    ("dependencies: [numpy,, scipy]\n", 1, "something is missing before ','"),
    ("dependencies:\n  - *cuda\n", 2, "'*cuda' refers to '&cuda', which stands nowhere above"),
    ("dependencies:\n  - *cuda*\n", 2, "begins with '*' needs quotation marks"),
    ("a: &x 1\nb: &x 2\n", 2, "a name behind '&' stands twice"),
    ("description: !x!y z\n", 1, "begins with '!' needs quotation marks"),
    ("variables:\n  A: >=3.8\n", 2, "begins with '>' or '|' needs quotation marks"),
    ('name: "C:\\work"\n', 1, "a backslash begins a code"),
    ("name: 'a\ndependencies: [numpy]\n", 1, "a quotation mark opens here and is never closed"),
    ("%FOO bar\n---\nname: a\n", 1, None),
    ("%TAG\n---\nname: a\n", 1, "must not begin with '%'"),
    ("name: a\ndescription: \x07\n", 2, "cannot be seen (U+0007)"),
    ("name: {{ name }}\n", 1, "this is a template"),
    ("dependencies:\n  - numpy\n{% if win %}\n  - vc\n{% endif %}\n", 3, "this is a template"),
    ("name: a\n<<<<<<< HEAD\ndependencies: [numpy]\n=======\n>>>>>>> x\n", 2, "git has left a conflict"),
    ("variables: {{a: 1}: b}\n", 1, "a key must be a word"),
]


@pytest.fixture(params=["libyaml", "python"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each reader that PyYAML may have."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    return str(request.param)


@pytest.mark.parametrize(("text", "line", "words"), CASES)
def test_each_fault_is_told_in_plain_words_where_it_is(reader: str, text: str, line: int, words: str | None) -> None:
    if words is None and reader == "python":
        return  # it passes over what it does not know
    with pytest.raises(SpecificationError) as caught:
        read_specification(text)
    fault = caught.value.faults[0]
    assert fault.line == line, fault
    assert (words or "must not begin with '%'") in fault.message


PROBLEMS = """\
found character that cannot start any token
found a tab character where an indentation space is expected
found a tab character that violates indentation
block sequence entries are not allowed in this context
mapping keys are not allowed in this context
mapping values are not allowed in this context
could not find expected ':'
could not find expected directive name
found unexpected non-alphabetical character
found unknown directive name
did not find expected comment or line break
did not find expected digit or '.' character
did not find expected version number
found extremely long version number
did not find expected whitespace
did not find expected whitespace or line break
did not find expected alphabetic or numeric character
did not find expected '!'
did not find the expected '>'
did not find expected tag URI
did not find URI escaped octet
found an incorrect leading UTF-8 octet
found an incorrect trailing UTF-8 octet
found an indentation indicator equal to 0
found unexpected document indicator
found unexpected end of stream
found unknown escape character
did not find expected hexdecimal number
found invalid Unicode character escape code
found unexpected ':'
found undefined tag handle
found duplicate %YAML directive
found duplicate %TAG directive
found incompatible YAML document
did not find expected <document start>
did not find expected <stream-start>
did not find expected node content
did not find expected key
did not find expected '-' indicator
did not find expected ',' or ']'
did not find expected ',' or '}'
exceeded maximum nesting depth
found undefined alias
found duplicate anchor; first occurrence
second occurrence
but found another document
""".splitlines()
"""All that libyaml's scanner and parser and PyYAML's composer complain of."""
CONTEXTS = {
    "directive": "while scanning a directive",
    "whitespace": "while scanning a directive",
    "non-alphabetical": "while scanning a directive",
    "end of stream": "while scanning a quoted scalar",
}
JARGON = re.compile(r"did not find|token|scalar|stream|\bnode\b|indicator|while (scanning|parsing)|not allowed in this")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_everything_that_libyaml_says_has_plain_words(problem: str) -> None:
    context = next((said for word, said in CONTEXTS.items() if word in problem), "")
    mark = SimpleNamespace(line=1, column=4)
    error = SimpleNamespace(problem=problem, context=context, problem_mark=mark, context_mark=mark)
    fault = syntax_fault("a:\n  - @b\nc: d\n", error)
    assert fault.message != UNKNOWN
    assert not JARGON.search(fault.message)
    assert fault.line in (1, 2)


@settings(max_examples=600, deadline=None)
@given(st.text(alphabet="ab:-[]{}'\"\n \t#&*!|>%@,?\\1.\x07\ud83d"[:-1], min_size=1, max_size=40), st.booleans())
def test_no_text_is_answered_with_the_words_of_a_parser(text: str, below: bool) -> None:
    try:
        read_specification(f"name: a\ndependencies:\n{text}" if below else text)
    except SpecificationError as error:
        for fault in error.faults:
            assert not JARGON.search(fault.message.replace(text, "")), fault
            assert fault.line is None or 1 <= fault.line <= len(text.splitlines()) + 3
