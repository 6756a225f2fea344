"""Names, their spelling, build keys."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec import build_key, check_name, parse_reference, spell, split_place, suggest_name
from jupyter_envstore.spec.names import NAME

NAMES = st.from_regex(NAME, fullmatch=True)
IMAGE_COMPONENT = re.compile(r"[a-z0-9]+([._-][a-z0-9]+)*")  # OCI distribution specification, with single separators


@given(NAMES)
def test_every_name_can_be_spelled_as_part_of_an_image(name: str) -> None:
    assert IMAGE_COMPONENT.fullmatch(spell(name))


@given(NAMES, NAMES)
def test_no_two_names_are_spelled_alike(first: str, second: str) -> None:
    assert (spell(first) == spell(second)) == (first == second)


@given(st.text(max_size=300))
def test_a_suggested_name_is_always_valid(text: str) -> None:
    assert NAME.fullmatch(suggest_name(text))


@pytest.mark.parametrize(
    ("name", "spelled"),
    [("data-science", "data-science"), ("my_env", "my_env"), ("Data", "d.uata"), ("py3.12", "py3.2e12")],
)
def test_spelling(name: str, spelled: str) -> None:
    assert spell(name) == spelled


def test_a_build_key_reads_as_documented() -> None:
    moment = datetime(2021, 8, 25, 18, 2, 11, 244815)
    assert build_key("583dd5" * 10 + "702f", moment, 3, "python-numpy-env") == (
        "583dd5" * 10 + "702f-20210825-180211-244815-3-python-numpy-env"
    )


@given(NAMES, st.integers(1, 10**9))
def test_a_build_key_is_a_valid_tag_and_keeps_its_id(name: str, build_id: int) -> None:
    key = build_key("a" * 64, datetime(2026, 1, 1), build_id, name)
    assert re.fullmatch(r"\w[\w.-]{0,127}", key)
    assert key.split("-")[4] == str(build_id)


@pytest.mark.parametrize("name", ["conda-store-dynamic", "V2", "envstore"])
def test_reserved_namespaces_are_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="reserved"):
        check_name("namespace", name)


def test_references() -> None:
    assert parse_reference("a/b") == ("a", "b", None)
    assert parse_reference("a/b:12") == ("a", "b", "12")
    for bad in ("a", "/b", "a/", "a/b/c", "../b"):
        with pytest.raises(InvalidInputError):
            parse_reference(bad)


@pytest.mark.parametrize(
    ("namespace", "name", "place"),
    [
        ("", "etl", ("", "etl")),
        ("team", "etl", ("team", "etl")),
        ("", "analytics/etl", ("analytics", "etl")),
        ("Analytics", "analytics/etl", ("Analytics", "etl")),
        ("team", "", ("team", "")),
    ],
)
def test_a_name_may_bring_its_namespace(namespace: str, name: str, place: tuple[str, str]) -> None:
    assert split_place(namespace, name) == place


@pytest.mark.parametrize(
    ("namespace", "name", "words"),
    [
        ("team", "analytics/etl", "says namespace analytics, and the namespace is given as team; give one of them"),
        ("", "/etl", "write NAME or NAMESPACE/NAME"),
        ("", "analytics/", "write NAME or NAMESPACE/NAME"),
    ],
)
def test_a_name_that_brings_another_namespace_is_refused(namespace: str, name: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        split_place(namespace, name)
