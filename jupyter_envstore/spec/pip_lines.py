"""Lines of a ``pip:`` list or a ``requirements.txt``: PEP 508 requirements and index options."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from packaging.requirements import Requirement

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
    "-r": "another file cannot be read from here; put its lines in this list",
    "--requirement": "another file cannot be read from here; put its lines in this list",
    "-c": "a constraints file cannot be read from here; put its bounds on the packages",
    "--constraint": "a constraints file cannot be read from here; put its bounds on the packages",
    "--hash": "hashes are found and locked by the build; leave them out",
}
SECRET_QUERY = re.compile(r"(^|&)[\w-]*(token|key|passw|auth|sig|credential|secret)[\w-]*=", re.IGNORECASE)
VCS = re.compile(r"\b(git|hg|svn|bzr)\+")


@dataclass(frozen=True)
class PipLine:
    """One understood line: a requirement, or an option with its value."""

    requirement: str | None = None
    option: str | None = None
    value: str = ""


def read_requirement(line: str) -> Requirement:
    """Return a requirement (PEP 508); its grammar is loaded when the first one is read, as most servers start without.

    Raises
    ------
    ValueError
        It is none.
    """
    from packaging.requirements import Requirement

    return Requirement(line)


def parse_pip_line(text: str, allow_local_files: bool) -> PipLine | None:
    """Return what ``text`` asks for; None for a blank line or a comment.

    Parameters
    ----------
    text : str
        One line.
    allow_local_files : bool
        Whether ``--find-links`` may name a local folder.

    Raises
    ------
    ValueError
        It cannot be used; the text says why and what to do.
    """
    line = re.sub(r"(^|\s)#.*$", "", text).strip()
    if not line:
        return None
    if line.startswith("-"):
        return _option(line, allow_local_files)
    if VCS.search(line):
        msg = f"{_shown(line)}: a version-control address is not exact; name a released package"
        raise ValueError(msg)
    if re.match(r"[./~\\]|[A-Za-z]:[\\/]|file:", line) or re.search(r"@\s*(file:|[./~])", line):
        msg = f"{_shown(line)}: a path exists on one machine only; name a released package"
        raise ValueError(msg)
    line = re.sub(r"\s--hash[= ]\S+|\s\\$", "", line)
    try:
        requirement = read_requirement(line)
    except ValueError as error:  # as InvalidRequirement is
        reason = str(error).splitlines()[0]
        msg = f"{_shown(line)} is not a requirement ({reason}); for example: requests>=2.31"
        raise ValueError(msg) from None
    if requirement.url:
        check_url(requirement.url, "package address")
        if not urlsplit(requirement.url).path.endswith(".whl"):
            msg = f"{_shown(line)}: only a wheel (.whl) can be named by address"
            raise ValueError(msg)
    return PipLine(requirement=str(requirement))


def _option(line: str, allow_local_files: bool) -> PipLine:
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
            msg = f"{name} {_shown(value)}: a relative folder leads nowhere in a build; write it from the root: /…"
            raise ValueError(msg)
        return PipLine(option=option, value=value)
    check_url(value, name, allow_local_files)
    return PipLine(option=option, value=value)


def check_url(url: str, what: str, allow_local_files: bool = False) -> None:
    """Refuse an address with a password in it, or of a kind that is not read.

    Raises
    ------
    ValueError
        With the reason; a password is never repeated in it.
    """
    parts = urlsplit(url)
    if parts.username or parts.password:
        msg = (
            f"{what}: an address must hold no password, since specifications are shown to others; "
            f"store it for {parts.hostname} in the keyring, netrc or auth.json of the account that builds"
        )
        raise ValueError(msg)
    if re.search(r"/t/[^/]+(/|$)", parts.path) and parts.scheme != "file":
        msg = f"{what}: an address must hold no token; store it in auth.json or .condarc of the account that builds"
        raise ValueError(msg)
    if re.search(r"(^|/|%2f)(\.|%2e){1,2}(/|%2f|$)|\\|%5c", parts.path, re.IGNORECASE):
        msg = f"{what} {_shown(url)}: an address must not step out of its folder ('..', '\\')"
        raise ValueError(msg)
    if re.search(r"%2f[^/]*$", parts.path, re.IGNORECASE):
        msg = f"{what} {_shown(url)}: the name of a file must hold no slash ('%2f')"
        raise ValueError(msg)
    if SECRET_QUERY.search(parts.query):
        key = parts.query.split("=")[0]
        msg = f"{what}: an address must hold no key or token (?{key}=), since specifications are shown to others"
        raise ValueError(msg)
    if parts.scheme == "file" and not allow_local_files:
        msg = f"{what} {url}: local files are not allowed on this server (allow_local_files)"
        raise ValueError(msg)
    if parts.scheme not in ("http", "https", "file") or (parts.scheme != "file" and not parts.hostname):
        msg = f"{what} {_shown(url)} is not an http or https address"
        raise ValueError(msg)


def _shown(text: str) -> str:
    text = re.sub(r"://[^/@\s]*@", "://***@", text)
    return text if len(text) <= 120 else f"{text[:117]}..."
