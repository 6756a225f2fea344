"""Logos of kernels: letters and colours that tell environments apart, whatever the names are."""

from __future__ import annotations

import base64
from pathlib import Path
from xml.etree import ElementTree

import pytest

from jupyter_envstore.kernels import logos

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colour", logos.COLOURS)
def test_white_letters_can_be_read_on_each_colour(colour: str) -> None:
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("data-science", "DS"),
        ("gpu", "GP"),
        ("a", "A"),
        ("7", "7"),
        ("ocean-2025", "O25"),
        ("ocean-2026", "O26"),
        ("python-3.12", "P12"),
        ("statistics_for.young-biologists", "SFY"),
        ("R_4.3", "R3"),
        ("x+", "X"),
    ],
)
def test_letters_say_which_environment_it_is(name: str, letters: str) -> None:
    assert logos.letters_of(name) == letters


def test_a_logo_is_the_same_each_time_and_another_one_in_another_namespace(tmp_path: Path) -> None:
    (tmp_path / "logo-64x64.png").write_bytes(b"a picture")
    picture = logos.picture_of(tmp_path / "logo-64x64.png")
    drawn = logos.logo("team", "data", picture, "python")
    assert drawn == logos.logo("team", "data", picture, "python")
    assert len({logos.logo(f"team-{number}", "data", picture, "python") for number in range(40)}) == len(logos.COLOURS)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - our own
    (image,) = root.findall(f"{SVG}image")
    assert image.get("href") == f"data:image/png;base64,{base64.b64encode(b'a picture').decode()}"
    assert [text.text for text in root.findall(f"{SVG}text")] == ["DA"]


def test_without_a_picture_of_the_language_its_letter_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "logo-64x64.png").write_bytes(b"x" * (logos.LARGEST + 1))
    (tmp_path / "logo-svg.svg").write_text("<svg/>")
    assert logos.picture_of(tmp_path / "logo-64x64.png") == ""
    assert logos.picture_of(tmp_path / "none.png") == ""
    assert logos.picture_of(tmp_path / "logo-svg.svg").startswith("data:image/svg+xml;base64,")
    root = ElementTree.fromstring(logos.logo("team", "data", "", "julia"))  # noqa: S314 - our own
    assert [text.text for text in root.findall(f"{SVG}text")] == ["J", "DA"]
    root = ElementTree.fromstring(logos.logo("team", "data", "", "<&"))  # noqa: S314 - our own
    assert [text.text for text in root.findall(f"{SVG}text")] == ["?", "DA"]
