"""Channels and match specs, as a specification writes them."""

from __future__ import annotations

import re

from jupyter_envstore.spec.addresses import check_filled_in, check_url
from jupyter_envstore.spec.wording import IMPORT_IT

MAX_LENGTH = 1_000


def check_channel(channel: str, allow_local_files: bool) -> str:
    """Return ``channel``, a name such as ``conda-forge`` or an address without credentials.

    Raises
    ------
    ValueError
        It is neither; or local files are not allowed.
    """
    check_filled_in(channel)
    if "://" in channel:
        check_url(channel, "channel", allow_local_files)
        if channel.startswith("file:") and (len(channel) > 4000 or any(len(part) > 255 for part in channel.split("/"))):
            msg = f"channel {channel[:80]!r}… is no folder: a name has at most 255 characters, a path 4000"
            raise ValueError(msg)
        return channel.rstrip("/")
    if (
        not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,4}", channel)
        or len(channel) > 200
    ):
        msg = f"channel {channel[:80]!r} is neither a name such as conda-forge nor an address such as https://host/channel"
        raise ValueError(msg)
    return channel


ANOTHER_NAME = re.compile(r"[A-Za-z]{2,}[\w.-]*(?:[<>=!~\[].*)?$|[A-Za-z][\w.-]*[<>=!~\[]")
"""What stands where a version should, and is another package: it begins with letters, or has a bound of its own."""
NAMED_VERSIONS = frozenset({"dev", "main", "master", "head", "latest", "nightly", "stable", "unstable", "custom"})
"""Versions that are words."""


EXTRAS = re.compile(r"([A-Za-z0-9][\w.-]*)\s*\[([\w\s,.-]+)\]")
"""A name with extras, as PEP 508 writes them; what conda writes in brackets has a ``=``."""


def check_match_spec(text: str, allow_local_files: bool = True) -> str:
    """Return ``text`` when rattler reads it as a match spec.

    Raises
    ------
    ValueError
        It does not, or the spec names a file instead of a package.
    """
    import rattler

    spec = " ".join(text.split())
    check_filled_in(spec)
    if len(spec) > MAX_LENGTH:
        msg = f"a match spec has at most {MAX_LENGTH} characters"
        raise ValueError(msg)
    fault = _is_of_another_kind(spec) or _is_not_one_package(spec)
    if fault:
        msg = f"{spec[:80]!r}{fault}"
        raise ValueError(msg)
    try:
        rattler.MatchSpec(spec)
    except Exception as error:
        reason = str(error).split("\n")[0].split(f": {spec!r}")[0]
        msg = f"{spec[:80]!r} is not a match spec: {reason}; for example numpy>=1.26,<2"
        raise ValueError(msg) from None
    channel = spec.split("::")[0] if "::" in spec else ""
    if channel:
        check_channel(re.sub(r"/(noarch|linux-\w+|osx-\w+|win-\w+)$", "", channel), allow_local_files)
    if "[" in spec and re.search(r"\b(url|channel)\s*=", spec):
        msg = f"{spec[:80]!r}: write the channel as CHANNEL::PACKAGE"
        raise ValueError(msg)
    return spec


def match_spec_parts(text: str) -> tuple[str, str, str]:
    """Return the name, the bounds of the version and the build of a match spec without its channel; empty for any."""
    import rattler

    match = rattler.MatchSpec(text.rpartition("::")[2])
    return match.name.normalized if match.name is not None else "", str(match.version or ""), str(match.build or "")


def _is_of_another_kind(spec: str) -> str:
    """Return what an entry is instead of a match spec, and where it belongs; empty where it may be one."""
    if spec.startswith(("git+", "hg+", "svn+", "-e ")) or re.search(r"\s@\s*(git\+|https?:|file:)", spec):
        return " is for pip; write it under 'pip:'"
    if ";" in spec:
        return (
            ": what stands behind ';' is for pip; write it under 'pip:', "
            f"or a condition of conda-build behind the package, for example # [win], and {IMPORT_IT}"
        )
    if "://" in spec.partition("::")[2 if "::" in spec else 0]:
        return " is an address; name the package, or write CHANNEL::PACKAGE"
    if re.match(r"[^\[:]+:[^:]*:[^:]", spec) and "::" not in spec:
        return " has a namespace between two colons, which is not read; write CHANNEL::PACKAGE"
    if re.search(r"\.(conda|tar\.bz2)$", spec) or re.match(r"[./~\\]|[A-Za-z]:\\", spec):
        return " names a file; name the package, or build from a lockfile"
    extras = EXTRAS.match(spec.rpartition("::")[2])
    if extras:
        return (
            f": extras ({extras[2].strip()[:40]}) belong to packages of PyPI; write it under 'pip:', "
            f"or {extras[1]} alone for the conda package"
        )
    return ""


def _is_not_one_package(spec: str) -> str:
    """Return why an entry is not a name, a version and a build; empty where it may be."""
    plain = re.sub(r"\[.*", "", spec).rpartition("::")[2]
    if not re.match(r"[\w*^]", plain):
        return " is not a match spec: a name begins with a letter, a digit or _"
    if re.search(r"\s-\s", plain):
        return " is one entry, since its second line is indented deeper; begin both at the same column"
    words = re.sub(r"\s*([<>=!~,|()])\s*", r"\1", plain).split()
    if len(words) > 1 and ANOTHER_NAME.match(words[1]) and words[1].lower() not in NAMED_VERSIONS:
        return f" is not a match spec: {words[1][:40]!r} is no version; write a line for each package"
    if len(words) > 3:
        return " is not a match spec: more than a name, a version and a build; write a line for each"
    return ""
