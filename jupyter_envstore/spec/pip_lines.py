"""Lines of a ``pip:`` list or a ``requirements.txt``: PEP 508 requirements, their hashes, and index options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jupyter_envstore.spec.addresses import check_filled_in, check_url, is_usual, shown
from jupyter_envstore.spec.requirement_parts import Parts, plain_parts, read_parts
from jupyter_envstore.spec.sources import (
    check_repository,
    is_archive_at_commit,
    is_repository,
    with_archive_name,
    with_name,
)

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["check_url", "parse_pip_line", "read_hashed", "read_requirement"]

OPTIONS = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
}
REFUSED = {
    "-e": "an editable install points at a folder of one machine; name a released package",
    "--editable": "an editable install points at a folder of one machine; name a released package",
    "-r": "another file cannot be read from here; put its lines in this list, or import the file on the command line",
    "-c": "a constraints file cannot be read from here; put its bounds on the packages, "
    "or import the file on the command line",
    "--hash": "a hash stands behind its package, on the same line",
    "--require-hashes": "hashes that packages are given are checked anyhow; leave it out",
}
REFUSED |= {"--requirement": REFUSED["-r"], "--constraint": REFUSED["-c"]}
HASH = re.compile(r"\s--hash(?:[=\s]\s*)(\S+)")
SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_REQUIREMENT = 2_000
MAX_HASHES = 2_000
"""Hashes of one requirement: a package with wheels for all systems and versions of Python has some two hundred."""
CONTINUED = re.compile(r"\\[^\S\n]*\r?(?:\n|\Z)")
COMMENT = re.compile(r"(^|\s)#.*$")


@dataclass(frozen=True)
class HashedRequirement:
    """A requirement, and the SHA-256 of each file that may be taken for it; none means any."""

    requirement: Requirement
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return _written(self.requirement, self.hashes)


def _written(requirement: Requirement | Parts, hashes: Iterable[str]) -> str:
    return " ".join([str(requirement), *(f"--hash=sha256:{value}" for value in hashes)])


@dataclass(frozen=True)
class PipLine:
    """One understood line: a requirement with its hashes, or an option with its value."""

    requirement: str | None = None
    option: str | None = None
    value: str = ""


OPTION_BEHIND = re.compile(r"\s(--[a-z][a-z-]*|-[ifcer](?=\s))")
PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|file:|[^\s@:;]+\.(whl|tar\.gz|tgz|zip|tar\.bz2)\s*(;|$)")
UNUSUAL = ("{", "$", "\\", " -", " #", "+")
"""What makes a line be looked at closely: what something is to fill in, an option, a comment, a repository, perhaps."""
FILE_NAME = re.compile(r"\.(whl|tar\.gz|tgz|zip|tar\.bz2)$")
PATH_BEHIND = re.compile(r"@\s*(file:|[./~])")


def is_path(line: str) -> bool:
    """Whether a line for pip names a folder or file of one machine."""
    return PATH.match(line) is not None or PATH_BEHIND.search(line) is not None


def logical_lines(text: str) -> list[str]:
    """Return the lines as pip reads them: one that ends in a backslash goes on, comments and blank ones are none."""
    joined = CONTINUED.sub(" ", text)
    lines = (COMMENT.sub("", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]


def read_hashed(line: str) -> HashedRequirement:
    """Return a requirement with its hashes, as pip writes them behind it (``--hash=sha256:…``).

    Raises
    ------
    ValueError
        It is none; or none of its hashes is one that can be checked here.
    """
    from packaging.requirements import Requirement

    hashes = _hashes(line)
    return HashedRequirement(Requirement(HASH.sub("", line)), hashes)


def _hashes(line: str) -> tuple[str, ...]:
    hashes: dict[str, None] = {}
    kinds = []
    for value in HASH.findall(line):
        kind, _, digest = value.partition(":")
        kinds.append(kind)
        if kind.lower() == "sha256" and not SHA256.fullmatch(digest.lower()):
            msg = f"{value[:80]!r} is no SHA-256, which has 64 characters of 0-9 a-f"
            raise ValueError(msg)
        if kind.lower() == "sha256":
            hashes[digest.lower()] = None
    if kinds and not hashes:
        msg = f"hashes of the kind {', '.join(dict.fromkeys(kinds))[:60]} are not checked here; give --hash=sha256:…"
        raise ValueError(msg)
    if len(kinds) > MAX_HASHES:
        msg = f"{len(kinds)} hashes; at most {MAX_HASHES}"
        raise ValueError(msg)
    return tuple(hashes)


def without_hashes(line: str) -> str:
    """Return a requirement's text without its hashes."""
    return HASH.sub("", line)


def read_requirement(line: str) -> Parts:
    """Return a requirement (PEP 508) without its hashes.

    Raises
    ------
    ValueError
        It is none.
    """
    return read_parts(HASH.sub("", line))


def parse_pip_line(text: str, allow_local_files: bool) -> PipLine | None:
    """Return what ``text`` asks for; None for a blank line or a comment.

    Parameters
    ----------
    text : str
        One line.
    allow_local_files : bool
        Whether ``--find-links`` and repositories may be local folders.

    Raises
    ------
    ValueError
        It cannot be used; the text says why and what to do.
    """
    usual = _usual(text)
    if usual is not None:
        return usual
    line = " ".join(logical_lines(text))
    if not line:
        return None
    check_filled_in(line)
    if line.startswith("-"):
        return _option(line, allow_local_files)
    bare = HASH.sub("", line)
    if len(bare) > MAX_REQUIREMENT:
        msg = f"{shown(line)}: a requirement has at most {MAX_REQUIREMENT} characters"
        raise ValueError(msg)
    behind = OPTION_BEHIND.search(bare)
    if behind:
        msg = f"{shown(line)}: an option, as {behind[1]}, has a line of its own"
        raise ValueError(msg)
    if is_repository(bare):
        return PipLine(requirement=_repository(line, allow_local_files))
    if re.match(r"https?://", bare):
        line = with_archive_name(line)
    if is_path(bare):
        msg = f"{shown(line)}: a path exists on one machine only; name a released package"
        raise ValueError(msg)
    found, hashes = _read(line)
    url = found.url
    if url:
        check_url(url, "package address")
        if not urlsplit(url).path.endswith(".whl") and not is_archive_at_commit(url):
            msg = (
                f"{shown(line)}: only a wheel (.whl) can be named by address, or an archive of sources (.zip, .tar.gz) "
                "whose address holds a full commit or ends in #sha256=…"
            )
            raise ValueError(msg)
    return PipLine(requirement=_written(found, hashes))


def _usual(text: str) -> PipLine | None:
    """Return a requirement of a usual shape, of which nothing has to be looked at closely; None for other lines."""
    if (
        len(text) > MAX_REQUIREMENT
        or not text.isascii()
        or not text.isprintable()
        or any(map(text.__contains__, UNUSUAL))
    ):
        return None
    parts = plain_parts(text)
    if parts is None or (not parts.url and FILE_NAME.search(parts.name)):
        return None
    if parts.url and not (is_usual(parts.url) and parts.url.partition("#")[0].endswith(".whl")):
        return None
    return PipLine(requirement=str(parts))


def _read(line: str) -> tuple[Parts, tuple[str, ...]]:
    try:
        hashes = _hashes(line)
        return read_requirement(line), hashes
    except ValueError as error:  # as InvalidRequirement is
        reason = str(error).splitlines()[0]
        hint = "" if "hash" in reason or "SHA-256" in reason else "; for example: requests>=2.31"
        msg = f"{shown(line)} is not a requirement ({reason}){hint}"
        raise ValueError(msg) from None


def _repository(line: str, allow_local_files: bool) -> str:
    try:
        found, hashes = _read(with_name(line))
        found = found._replace(url=check_repository(found.url, allow_local_files))
    except ValueError as error:
        msg = f"{shown(line)}: {error}"
        raise ValueError(msg) from None
    if hashes:
        msg = f"{shown(line)}: a commit is exact by itself; leave out --hash"
        raise ValueError(msg)
    return str(found)


def _option(line: str, allow_local_files: bool) -> PipLine:
    if re.match(r"-[a-z]\S", line):  # as in -rother.txt
        line = f"{line[:2]} {line[2:]}"
    words = shlex.split(line.replace("=", " ", 1) if line.startswith("--") else line)
    name, values = words[0], words[1:]
    if name in REFUSED:
        msg = f"{name}: {REFUSED[name]}"
        raise ValueError(msg)
    if name not in OPTIONS:
        known = "--index-url, --extra-index-url, --find-links"
        msg = f"option {name} is not supported here; known: {known}"
        raise ValueError(msg)
    if len(values) != 1:
        msg = f"{name} takes one address"
        raise ValueError(msg)
    option, value = OPTIONS[name], values[0]
    if option == "--find-links" and "://" not in value:
        if not allow_local_files:
            msg = f"{name} {value}: local folders are not allowed on this server (allow_local_files)"
            raise ValueError(msg)
        if not value.startswith("/"):
            msg = f"{name} {shown(value)}: a relative folder leads nowhere in a build; write it from the root: /…"
            raise ValueError(msg)
        return PipLine(option=option, value=value)
    check_url(value, name, allow_local_files)
    return PipLine(option=option, value=value)
