"""Sources of Python packages at one commit, as lines for pip name them (pip's documentation, "VCS Support")."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote, urlsplit

from jupyter_envstore.spec.addresses import check_url, file_of, shown

COMMIT = re.compile(r"[0-9a-f]{40}")
VCS = re.compile(r"(?:^|[\s@])(git|hg|svn|bzr)\+")
SUBDIRECTORY = re.compile(r"[\w.+-]+(/[\w.+-]+)*")
NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[\w,\s.-]*\])?")
WAY_OUT = (
    "write git+https://HOST/REPOSITORY@COMMIT with all 40 characters of a commit, which is exact "
    "(built where pypi_allow_sdists is set), or name a released package"
)


def is_repository(line: str) -> bool:
    """Whether a line for pip names a repository of version control."""
    return VCS.search(line) is not None


def with_name(line: str) -> str:
    """Return a line ``git+…#egg=NAME`` in the form that PEP 508 has: ``NAME @ git+…``; others as they are.

    Where it says no name, the package is taken to be called as its folder or repository is; uv refuses it, with both
    names, where it is not.

    Raises
    ------
    ValueError
        That cannot be the name of a package.
    """
    if not line.startswith(("git+", "hg+", "svn+", "bzr+")):
        return line
    url, mark, marker = line.partition(" ;")
    address, _, fragment = url.strip().partition("#")
    said = parse_qs(fragment)
    folder = said.get("subdirectory", [""])[0].strip("/")
    path = urlsplit(address).path.rpartition("@")[0] or urlsplit(address).path
    last = (folder or path.rstrip("/")).rpartition("/")[2]
    name = said.get("egg", [""])[0].strip() or last.removesuffix(".git")
    if not NAME.fullmatch(name):
        msg = f"{name[:60]!r} is not the name of a package; write NAME @ git+https://HOST/REPOSITORY@COMMIT"
        raise ValueError(msg)
    return f"{name} @ {address}{'#subdirectory=' + folder if folder else ''}{mark}{marker}"


def with_archive_name(line: str) -> str:
    """Return a line that is an address alone in the form that PEP 508 has: ``NAME @ https://…``.

    The name is that of the wheel or source archive, or of the repository whose archive it is; or ``#egg=`` says it.

    Raises
    ------
    ValueError
        The address does not say a name.
    """
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    url, space, rest = line.partition(" ")
    address, _, fragment = url.partition("#")
    kept = [part for part in fragment.split("&") if part.startswith(("sha256=", "subdirectory="))]
    egg = parse_qs(fragment).get("egg", [""])[0].strip()
    file, folders = file_of(address), urlsplit(address).path.split("/")
    name = egg
    if not name and file.endswith((".whl", ".tar.gz", ".zip")):
        try:
            name = str(parse_wheel_filename(file)[0] if file.endswith(".whl") else parse_sdist_filename(file)[0])
        except ValueError:
            name = folders[folders.index("archive") - 1] if "archive" in folders else ""
    if not NAME.fullmatch(name):
        msg = f"{shown(url)}: an address needs the name of its package before it; write NAME @ {shown(address)}"
        raise ValueError(msg)
    return f"{name} @ {address}{'#' if kept else ''}{'&'.join(kept)}{space}{rest}"


def check_repository(url: str, allow_local_files: bool) -> str:
    """Return the address of a repository at a commit, in one form: ``git+https://HOST/PATH@COMMIT[#subdirectory=…]``.

    Raises
    ------
    ValueError
        It is of another kind, names no full commit, or holds a password.
    """
    if not url.startswith("git+"):
        msg = f"{url.partition('+')[0]} is not read, only git is; {WAY_OUT}"
        raise ValueError(msg)
    address, _, fragment = url.removeprefix("git+").partition("#")
    parts = urlsplit(address)
    path, at, commit = parts.path.rpartition("@")
    if parts.scheme == "ssh" or (parts.username and not parts.password and parts.scheme not in ("http", "https")):
        msg = "a repository by ssh needs a key of one person; name its https address"
        raise ValueError(msg)
    if parts.username == "git" and not parts.password:  # a habit from ssh; says nothing over https
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    if not at or not COMMIT.fullmatch(commit.lower()):
        wanted = f"{commit!r} is no full commit" if at else "it names no commit"
        msg = f"a version-control address is not exact: {wanted}, which has 40 characters; {WAY_OUT}"
        raise ValueError(msg)
    plain = parts._replace(path=path).geturl()
    check_url(plain, "repository", allow_local_files)
    said = parse_qs(fragment)
    folder = unquote(said.get("subdirectory", [""])[0]).strip("/")
    if folder and (not SUBDIRECTORY.fullmatch(folder) or ".." in folder.split("/")):
        msg = f"subdirectory {folder[:80]!r} is no folder of a repository"
        raise ValueError(msg)
    return f"git+{plain}@{commit.lower()}" + (f"#subdirectory={folder}" if folder else "")


ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_archive_at_commit(url: str) -> bool:
    """Whether an address names an archive of sources that cannot become another: by its commit, or by its SHA-256."""
    parts = urlsplit(url)
    if not parts.path.lower().endswith(ARCHIVES):
        return False
    named = re.search(r"(?:^|[^0-9a-f])[0-9a-f]{40}(?![0-9a-f])", parts.path)
    return bool(named or re.fullmatch(r"(?:.*&)?sha256=[0-9a-f]{64}(?:&.*)?", parts.fragment))


def is_source(url: str) -> bool:
    """Whether an address of a requirement is one of sources, which are built into a wheel."""
    return url.startswith("git+") or is_archive_at_commit(url)
