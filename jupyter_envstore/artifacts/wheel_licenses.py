"""Licences of PyPI packages: build records do not tell them, the wheels do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from jupyter_envstore.spec.package_editing import pip_name

LONGEST = 120
"""Characters; a longer text in ``License`` is the text of a licence, and no name."""
UNKNOWN = frozenset({"", "unknown", "none", "n/a", "-"})
CLASSIFIER = re.compile(r"License :: (?:OSI Approved :: )?(?P<name>.+)")


def wheel_licenses(folder: Path) -> dict[str, str]:
    """Return what the distributions in a folder say of their licences, by their normalised names.

    See "Core metadata" of packaging.python.org: ``License-Expression``, else ``License``, else the classifiers.
    """
    found = {}
    for path in sorted(folder.glob("*.dist-info/METADATA")):
        headers = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
        license_name = _license(headers)
        if headers["Name"] and license_name:
            found[pip_name(headers["Name"])] = license_name
    return found


def _license(headers: Message[str, str] | Mapping[str, str]) -> str:
    for key in ("License-Expression", "License"):
        said = str(headers.get(key) or "").strip()
        if said.lower() not in UNKNOWN and "\n" not in said and len(said) <= LONGEST:
            return said
    classifiers = headers.get_all("Classifier", []) if isinstance(headers, Message) else []
    names = [match["name"] for line in classifiers if (match := CLASSIFIER.fullmatch(line.strip()))]
    return "; ".join(name for name in names if name != "OSI Approved")
