"""Names of namespaces and environments, their spelling elsewhere, and build keys."""

from __future__ import annotations

import re
from datetime import datetime

from jupyter_envstore.errors import InvalidInputError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
DYNAMIC = "conda-store-dynamic"
"""Namespace of images on demand: its environments are made by pulling them, and no other way."""
RESERVED = frozenset({DYNAMIC, "envstore", "conda-store", "v2", "api", "static", "tokens"})
MAX_TAG_LENGTH = 128
"""Longest tag of an image (OCI distribution specification, "pulling manifests")."""


def check_name(kind: str, name: str) -> str:
    """Return ``name``, or raise.

    Parameters
    ----------
    kind : str
        What it names, for the message: ``namespace`` or ``environment``.
    name : str
        1 to 64 characters of ``A-Z a-z 0-9 _ . + -`` that start with a letter or digit.

    Raises
    ------
    InvalidInputError
        The name does not fit or is reserved.
    """
    if not NAME.fullmatch(name):
        shown = name if len(name) <= 80 else f"{name[:77]}..."
        msg = (
            f"{kind} name {shown!r} cannot be used: 1 to 64 characters of A-Z a-z 0-9 _ . + -, "
            f"the first a letter or digit; for example {suggest_name(name)!r}"
        )
        raise InvalidInputError(msg)
    if kind == "namespace" and name.lower() in RESERVED:
        msg = f"namespace name {name!r} is reserved; choose another"
        raise InvalidInputError(msg)
    return name


def suggest_name(text: str, fallback: str = "environment") -> str:
    """Return a valid name close to ``text``, which may be a path."""
    last = re.split(r"[/\\]", text.rstrip("/\\"))[-1]
    last = re.sub(r"[^A-Za-z0-9_.+-]+", "-", last).strip("-")
    return re.sub(r"^[^A-Za-z0-9]+", "", last)[:64] or fallback


def spell(name: str) -> str:
    """Return the one form of ``name`` for image parts, kernel ids and directories.

    The result matches ``[a-z0-9]+([._-][a-z0-9]+)*`` (the image name component of the OCI distribution
    specification) and no two names share one: an upper-case letter becomes its lower-case form and ``.u``,
    every other character that cannot stay becomes ``.`` and two hexadecimal digits, for each byte of UTF-8.

    >>> spell("data-science"), spell("R_4.3"), spell("a+")
    ('data-science', 'r.u_4.2e3', 'a.2b')
    """
    spelled = []
    for place, letter in enumerate(name):
        if not letter.isascii():
            spelled += [f".{byte:02x}" for byte in letter.encode(errors="surrogateescape")]
        elif letter.isdigit() or letter.islower():
            spelled.append(letter)
        elif letter.isupper():
            spelled.append(f"{letter.lower()}.u")
        elif letter in "-_" and name[place + 1 : place + 2].isalnum() and name[place - 1].isalnum():
            spelled.append(letter)
        else:
            spelled.append(f".{ord(letter):02x}")
    return "".join(spelled)


def unspell(text: str) -> str | None:
    """Return the name that :func:`spell` gives this form; None where there is none.

    >>> unspell("r.u_4.2e3"), unspell("data-science"), unspell("x.zz")
    ('R_4.3', 'data-science', None)
    """
    name = re.sub(r"([a-z])\.u", lambda found: found[1].upper(), text)
    name = re.sub(r"\.([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name)
    return name if NAME.fullmatch(name) and spell(name) == text else None


def build_key(sha256: str, scheduled_on: datetime, build_id: int, environment: str) -> str:
    """Return the key of a build, which is the tag of its image too.

    An over-long key loses the end of the environment's name; the id alone finds the build.
    """
    head = f"{sha256}-{scheduled_on:%Y%m%d-%H%M%S-%f}-{build_id}-"
    return (head + spell(environment))[:MAX_TAG_LENGTH].rstrip("-._")


def build_directory(sha256: str, build_id: int) -> str:
    """Return the name of a build's folder: short, since prefixes stand in shebangs (127 bytes)."""
    return f"{sha256[:8]}-{build_id}"


def split_place(namespace: str, name: str) -> tuple[str, str]:
    """Return a namespace and a name that were given apart, the name as ``NAMESPACE/NAME`` too; either may be empty.

    Raises
    ------
    InvalidInputError
        The two say different namespaces, or a part is missing.

    >>> split_place("", "analytics/etl"), split_place("team", "etl"), split_place("", "")
    (('analytics', 'etl'), ('team', 'etl'), ('', ''))
    """
    if "/" not in name:
        return namespace, name
    space, _, rest = name.partition("/")
    if not space or not rest:
        msg = f"{name[:150]!r} does not name an environment: write NAME or NAMESPACE/NAME"
        raise InvalidInputError(msg)
    if namespace and namespace.lower() != space.lower():
        two = f"the name {name[:150]!r} says namespace {space[:80]}, and the namespace is given as {namespace[:80]}"
        msg = f"{two}; give one of them"
        raise InvalidInputError(msg)
    return namespace or space, rest


def parse_reference(text: str) -> tuple[str, str, str | None]:
    """Split ``namespace/name[:build]``.

    Raises
    ------
    InvalidInputError
        It has another form.
    """
    path, _, build = text.partition(":")
    namespace, slash, name = path.partition("/")
    if not slash or not namespace or not name:
        msg = f"{text!r} does not name an environment: write NAMESPACE/NAME or NAMESPACE/NAME:BUILD"
        raise InvalidInputError(msg)
    space = namespace if namespace == DYNAMIC else check_name("namespace", namespace)
    return space, check_name("environment", name), build or None
