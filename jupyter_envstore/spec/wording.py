"""Numbers in messages, and the words of a specification."""

from __future__ import annotations


def counted(number: int, one: str) -> str:
    """Return a number with what is counted: ``1 package``, ``2 packages``.

    Parameters
    ----------
    number : int
        How many.
    one : str
        What one of them is called; several have an s.
    """
    return f"{number} {one if number == 1 else f'{one}s'}"


def json_kind(value: object) -> str:
    """Return what a JSON value is: ``an object``, ``a list``, ``a text``, ``a number``, ``true or false``, ``null``."""
    names = {dict: "an object", list: "a list", bool: "true or false", str: "a text", type(None): "null"}
    return names.get(type(value), "a number")


KEYS = (
    *("name", "channels", "channel-priority", "dependencies", "variables", "description", "prefix", "platforms"),
    "system-requirements",
)
"""Keys of an ``environment.yml``."""

IMPORT_IT = "import it, which repairs and converts it"
"""What to do with a text that is read once it was repaired, in the panel, with the API and on the command line."""

ACCEPTED = (
    "environment.yml, conda-lock.yml, pixi.lock, pixi.toml, pyproject.toml, pylock.toml, uv.lock, requirements.txt, "
    "an @EXPLICIT list, what conda list --export prints, a CycloneDX bill of materials with addresses and hashes, and "
    "Python scripts and notebooks with a script block (PEP 723)"
)
"""Kinds of files that are read."""


def human_size(size: float) -> str:
    """Return bytes as people read them, in powers of 1000.

    >>> human_size(1234), human_size(56_700_000)
    ('1.2 kB', '56.7 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
