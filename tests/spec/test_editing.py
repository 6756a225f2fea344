"""Packages added to a specification and removed from it, while the rest of its text lives."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_envstore.errors import InvalidInputError, SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.package_editing import edit_packages

TEXT = """\
# The ocean team's environment.
name: x
channels: [conda-forge]

dependencies:
  - python=3.12  # not newer
  # 2 breaks gsw
  - numpy <2
  - pip:
      - cowsay   # for the talks

# the end
variables:
  A: b
"""


def lines_changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the lines that went and the lines that came."""
    old, new = before.splitlines(), after.splitlines()
    return [line for line in old if line not in new], [line for line in new if line not in old]


@pytest.mark.parametrize(
    ("add", "remove", "gone", "came"),
    [
        (["flask"], [], [], ["  - flask"]),
        (["numpy"], [], ["  - numpy <2"], ["  - numpy"]),
        (["NumPy >=1,<3"], [], ["  - numpy <2"], ["  - NumPy >=1,<3"]),
        (["conda-forge::numpy"], [], ["  - numpy <2"], ["  - conda-forge::numpy"]),
        (["python=3.13"], [], ["  - python=3.12  # not newer"], ["  - python=3.13  # not newer"]),
        (["pip:rich>=1"], [], [], ["      - rich>=1"]),
        (["pip:CowSay==6"], [], ["      - cowsay   # for the talks"], ["      - CowSay==6   # for the talks"]),
        ([], ["numpy"], ["  - numpy <2"], []),
        ([], ["pip:cowsay"], ["  - pip:", "      - cowsay   # for the talks"], []),
    ],
)
def test_one_line_changes_and_comments_and_order_live(
    add: list[str], remove: list[str], gone: list[str], came: list[str]
) -> None:
    assert lines_changed(TEXT, edit_packages(TEXT, add, remove)) == (gone, came)


@pytest.mark.parametrize(
    ("before", "add", "after"),
    [
        ("dependencies: []", ["a"], "dependencies: [a]"),
        ("dependencies: [python, 'numpy <2,>1']", ["numpy >=1,<2"], 'dependencies: [python, "numpy >=1,<2"]'),
        ("dependencies: [a, {pip: [b]}]", ["c", "pip:d"], "dependencies: [a, c, {pip: [b, d]}]"),
        ("dependencies: [{pip: [b]}]", ["c"], "dependencies: [c, {pip: [b]}]"),
        ("dependencies: [a]", ["pip:d"], "dependencies: [a, {pip: [d]}]"),
        ("name: x", ["a"], "name: x\ndependencies:\n  - a"),
        ("name: x", ["pip:a"], "name: x\ndependencies:\n  - pip:\n      - a"),
        ("dependencies:\n- a\nname: x", ["b"], "dependencies:\n- a\n- b\nname: x"),
        ("dependencies:\n- a\nname: x", ["pip:b"], "dependencies:\n- a\n- pip:\n    - b\nname: x"),
        ("dependencies:\n  - a", ["b"], "dependencies:\n  - a\n  - b"),
        ("dependencies:\n  - pip:\n    - a", ["b"], "dependencies:\n  - b\n  - pip:\n    - a"),
        ('{"dependencies": ["a"]}', ["b >1"], '{"dependencies": ["a", b >1]}'),
    ],
)
def test_a_package_is_added_in_the_lists_own_style(before: str, add: list[str], after: str) -> None:
    found = edit_packages(before, add)
    assert found.rstrip("\n") == after
    assert read_specification(found)


@pytest.mark.parametrize(
    ("before", "remove", "after"),
    [
        ("dependencies: [a, b, c]", ["b"], "dependencies: [a, c]"),
        ("dependencies: [a, b]", ["b"], "dependencies: [a]"),
        ("dependencies: [a]", ["a"], "dependencies: []"),
        ("dependencies: [a, {pip: [b]}]", ["pip:b"], "dependencies: [a]"),
        ("dependencies:\n- a\nname: x\n", ["a"], "dependencies:\n  []\nname: x\n"),
        ("dependencies:\n  - a\n  - pip:\n    - b\n    - c\n", ["pip:b"], "dependencies:\n  - a\n  - pip:\n    - c\n"),
    ],
)
def test_a_package_is_removed_with_its_line_or_comma(before: str, remove: list[str], after: str) -> None:
    assert edit_packages(before, remove=remove) == after


@pytest.mark.parametrize(
    ("add", "remove", "words"),
    [
        (["<2"], [], "does not begin with the name"),
        (["a\n- b"], [], "more than one line"),
        ([], ["flask"], "'flask' is not listed"),
        ([], ["pip:numpy"], "'pip:numpy' is not listed"),
        (["a"] * 201, [], "at most 200"),
    ],
)
def test_what_cannot_be_changed_is_named(add: list[str], remove: list[str], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        edit_packages(TEXT, add, remove)


def test_a_package_with_extras_is_cut_from_a_list_in_brackets() -> None:
    before = "name: a\nchannels: [conda-forge]\ndependencies: [python, {pip: ['rich[a]', flask]}]\n"
    assert edit_packages(before, [], ["pip:rich"]) == before.replace("'rich[a]', ", "")
    assert edit_packages(before, [], ["pip:rich", "pip:flask"]) == before.replace(", {pip: ['rich[a]', flask]}", "")


def test_an_edit_that_would_not_do_what_it_says_is_refused() -> None:
    text = "name: a\nchannels: [conda-forge]\ndependencies:\n- >\n  zlib\n- python\n"
    with pytest.raises(SpecificationError, match="change it by hand"):
        edit_packages(text, [], ["zlib"])


@pytest.mark.parametrize("name", ["yes", "null", "on", "true"])
def test_a_name_that_yaml_takes_for_a_value_is_quoted(name: str) -> None:
    after = edit_packages("name: a\nchannels: [conda-forge]\ndependencies:\n- python\n", [name], [])
    assert read_specification(after).dependencies == ("python", name)


def test_a_lockfile_is_not_edited() -> None:
    with pytest.raises(SpecificationError, match="a lockfile is exact"):
        edit_packages("version: 1\nmetadata: {}\npackage: []\n", ["numpy"])


WORDS = {"on", "off", "yes", "no", "y", "n", "true", "false", "null"}
"""What is no text to YAML without quotation marks."""
NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True).filter(lambda name: name not in WORDS)


@given(st.lists(NAMES, min_size=1, max_size=5, unique=True), st.lists(NAMES, min_size=1, max_size=4), st.booleans())
def test_what_was_added_is_read_and_what_was_removed_is_not(names: list[str], added: list[str], flow: bool) -> None:
    listed = ["python", *names]
    body = f" [{', '.join(listed)}]" if flow else "".join(f"\n  - {name}  # {name}" for name in listed)
    text = textwrap.dedent("name: x\n") + f"dependencies:{body}\n"
    found = edit_packages(text, added)
    wanted = [*listed, *(name for name in dict.fromkeys(added) if name not in listed)]
    assert list(read_specification(found).dependencies) == wanted
    left = edit_packages(found, remove=names)
    assert list(read_specification(left).dependencies) == [name for name in wanted if name not in names]
