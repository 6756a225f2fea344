"""What a file offers is chosen on the command line, with the API and in the panel: each says how in its own words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import jupyter_envstore
from jupyter_envstore.cli.arguments.parser import make_parser
from jupyter_envstore.spec.converting.draft import ChoiceError, Offer

FOLDER = Path(jupyter_envstore.__file__).parent
PACKAGES = ("engine", "artifacts", "builds", "database", "images", "installers", "policy", "server", "services")
"""Whose texts name other programs' options too: of ours, those about files are looked for."""


def options_of_the_command_line() -> set[str]:
    """Return the long options that are ours alone."""
    subparsers = next(action for action in make_parser()._actions if isinstance(action.choices, dict))
    parsers = subparsers.choices.values() if isinstance(subparsers.choices, dict) else ()
    found = {option for parser in parsers for action in parser._actions for option in action.option_strings}
    return {option for option in found if option.startswith("--")} - {"--version", "--help", "--exclude-newer"}


def names(options: set[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(options))})\b(?!-)")


OURS = names(options_of_the_command_line())
OF_FILES = names({"--fix", "--environment", "--category"})
FILES = [(path, OURS) for path in sorted((FOLDER / "spec").rglob("*.py"))]
FILES += [(path, OF_FILES) for package in PACKAGES for path in sorted((FOLDER / package).rglob("*.py"))]


@pytest.mark.parametrize(("path", "options"), FILES, ids=[str(path.relative_to(FOLDER)) for path, _ in FILES])
def test_no_message_about_a_file_names_options_that_the_panel_does_not_have(
    path: Path, options: re.Pattern[str]
) -> None:
    assert {"--fix", "--environment", "--category", "--yes"} <= options_of_the_command_line()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in texts if options.search(text)] == []


@pytest.mark.parametrize(
    ("offer", "ways"),
    [
        (Offer(), ""),
        (Offer(("a", "b"), "a"), "; choose with --environment: b"),
        (Offer(("a", "b")), "; choose with --environment: a, b"),
        (Offer(categories=("x", "y")), "; choose with --category: x, y"),
        (Offer(("a", "b"), "a", ("x",)), "; choose with --environment: b; choose with --category: x"),
    ],
)
def test_what_else_there_is_stands_behind_a_fault_in_the_words_of_who_asks(offer: Offer, ways: str) -> None:
    fault = ChoiceError("there is nothing in it", offer)
    told = fault.with_ways_out("--environment", "--category")
    assert str(told) == f"there is nothing in it{ways}"
    assert told.offer == offer
    assert str(fault) == "there is nothing in it"
