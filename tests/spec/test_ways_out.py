"""What a file offers is chosen on the command line, with the API and in the panel: each says how in its own words."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import jupyter_envstore.spec
from jupyter_envstore.spec.converting.draft import ChoiceError, Offer

FOLDER = Path(jupyter_envstore.spec.__file__).parent
OPTIONS = re.compile(r"--(?:environment|category)\b|(?<!on the command line )with --fix")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_message_about_a_file_names_options_that_the_panel_does_not_have(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert [text for text in texts if OPTIONS.search(text)] == []


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
