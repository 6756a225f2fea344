"""Logos of kernels: the language's own, with letters and a colour that tell environments apart.

JupyterLab shows ``logo-svg.svg`` of a kernelspec before its other pictures. The picture that a package brought stays
as it is beside it, for clients that show no SVG.
"""

from __future__ import annotations

import base64
import re
import zlib
from pathlib import Path

FILE = "logo-svg.svg"
BROUGHT = ("logo-64x64.png", FILE)
"""What a package may have brought, the better first: a small picture is enough beside the letters."""
MEDIA_TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
LARGEST = 24_000
"""Bytes of a picture that is taken into a logo."""
COLOURS = (
    "#b3261e", "#9a4600", "#7a5900", "#4f6600", "#1b6d2f", "#006a60",
    "#00658e", "#2657b8", "#5a4fcf", "#8339a8", "#a8306f", "#6d4c41",
)  # fmt: skip
"""White letters can be read on each (WCAG 2, contrast of 4.5 at least)."""
WORDS = re.compile(r"[A-Za-z]+|[0-9]+")
MOST = 3


def letters_of(name: str) -> str:
    """Return up to three letters for a name: those that its words begin with, and the end of the number behind them.

    >>> letters_of("data-science"), letters_of("ocean-2026"), letters_of("gpu"), letters_of("python-3.12")
    ('DS', 'O26', 'GP', 'P12')
    """
    words = WORDS.findall(name)
    if not words:
        return ""
    numbers = words[-1][-2:] if words[-1].isdigit() else ""
    rest = [word for word in words if not word.isdigit()]
    if len(rest) == 1 and not numbers:
        return str(rest[0][:2].upper())
    return "".join(word[0].upper() for word in rest)[: MOST - len(numbers)] + numbers


def colour_of(namespace: str, name: str) -> str:
    """Return the colour of an environment: always the same, and another one for most others."""
    return COLOURS[zlib.crc32(f"{namespace}/{name}".lower().encode()) % len(COLOURS)]


def picture_of(path: Path) -> str:
    """Return a picture as a ``data:`` address; empty where it is too large, or cannot be read."""
    try:
        if not 0 < path.stat().st_size <= LARGEST:
            return ""
        content = base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError:
        return ""
    return f"data:{MEDIA_TYPES[path.suffix]};base64,{content}"


def logo(namespace: str, name: str, picture: str, language: str) -> str:
    """Return the logo of an environment's kernel, as SVG.

    Parameters
    ----------
    picture : str
        The language's own logo, as :func:`picture_of` returns it; without it, the language's first letter is drawn.
    language : str
        Of the kernel.
    """
    letters = letters_of(name)
    if picture:
        mark = f'<image href="{picture}" x="1" y="0" width="50" height="50"/>'
    else:
        first = (WORDS.findall(language) or ["?"])[0][:1].upper()
        mark = (
            '<circle cx="25" cy="25" r="23" fill="#fff" stroke="#9e9e9e"/>'
            f'<text x="25" y="35" {_FONT} font-size="28" fill="#424242">{first}</text>'
        )
    left, size = (26, 20) if len(letters) < MOST else (15, 19)
    width = 63 - left
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">'
        f'{mark}<rect x="{left}" y="36" width="{width}" height="27" rx="7" fill="{colour_of(namespace, name)}"'
        ' stroke="#fff" stroke-width="2"/>'
        f'<text x="{left + width / 2:g}" y="56.5" {_FONT} font-size="{size}" fill="#fff">{letters}</text></svg>\n'
    )


_FONT = 'font-family="system-ui,sans-serif" font-weight="700" text-anchor="middle"'
