"""What names an image: read as ``docker pull`` reads it, and refused with the right form."""

from __future__ import annotations

import pytest

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.images.reference import check_base, parse_image
from jupyter_envstore.spec.names import spell, unspell

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("debian", ("docker.io", "library/debian", "", "")),
        ("debian:bookworm-slim", ("docker.io", "library/debian", "bookworm-slim", "")),
        ("team/data:1", ("docker.io", "team/data", "1", "")),
        ("localhost/data", ("localhost", "data", "", "")),
        ("hub.example:5000/a/b__c/d-e.f:latest", ("hub.example:5000", "a/b__c/d-e.f", "latest", "")),
        (f"hub.example/a@{DIGEST}", ("hub.example", "a", "", DIGEST)),
        (f"[::1]:5000/a:t@{DIGEST}", ("[::1]:5000", "a", "t", DIGEST)),
    ],
)
def test_references_are_read_as_docker_reads_them(text: str, expected: tuple[str, str, str, str]) -> None:
    found = parse_image(text)
    assert (found.host, found.name, found.tag, found.digest) == expected


@pytest.mark.parametrize(
    "text",
    ["", "Debian", "a//b", "a/../b", "a:", "a@sha256:1", "hub.example/", "a:t:u", "-a", "a" * 300, "a b", "a/b?c=d"],
)
def test_what_names_no_image_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="HOST/NAME:TAG"):
        parse_image(text)


@pytest.mark.parametrize("text", ["debian", "docker:debian", "http://host/x", "oci:", "docker://A"])
def test_what_is_no_base_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"docker://|HOST/NAME"):
        check_base(text)


@pytest.mark.parametrize("name", ["data-science", "R_4.3", "a+", "UPPER", "x.y", "a--b", "9_", "a.u"])
def test_names_of_repositories_lead_back_to_names(name: str) -> None:
    assert unspell(spell(name)) == name


@pytest.mark.parametrize("text", ["x.zz", "A", "a.", "..", "", "a.2db", "con.41"])
def test_what_no_name_is_spelled_as_leads_nowhere(text: str) -> None:
    assert unspell(text) is None
