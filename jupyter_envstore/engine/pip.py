"""PyPI packages: resolved by uv beside what conda provides, installed by uv from the lock alone."""

from __future__ import annotations

import contextlib
import re
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.checked_network import way_out
from jupyter_envstore.engine.foreign_files import read_regular
from jupyter_envstore.engine.guarded_interpreter import write_guard
from jupyter_envstore.engine.pip_faults import with_all_faults, with_wheel_faults
from jupyter_envstore.engine.pylock import pylock_text
from jupyter_envstore.engine.refused_wheel_files import refuse_left_out
from jupyter_envstore.engine.sandbox import NONE, Reach, Sandbox, Unbounded
from jupyter_envstore.engine.uv import Bounds, find_uv, run_uv
from jupyter_envstore.engine.uv_lock import locked_package, without_claims
from jupyter_envstore.errors import PipError
from jupyter_envstore.spec.lock_entries import PypiEntry
from jupyter_envstore.spec.pip_lines import read_hashed, read_requirement
from jupyter_envstore.spec.sources import is_source
from jupyter_envstore.spec.specification import PipOptions

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_LOCK = 64 << 20
MANYLINUX = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
UV_PLATFORMS = {
    "osx-64": "x86_64-apple-darwin",
    "osx-arm64": "aarch64-apple-darwin",
    "win-64": "x86_64-pc-windows-msvc",
    "win-arm64": "aarch64-pc-windows-msvc",
}
MACHINES = {"linux-64": "x86_64", "linux-aarch64": "aarch64", "linux-ppc64le": "powerpc64le"}


@dataclass(frozen=True)
class Distribution:
    """A Python distribution that conda installs: its PyPI name, version and ``METADATA`` text."""

    name: str
    version: str
    metadata: str


@dataclass(frozen=True)
class Attempt:
    """A command of uv that may resolve packages; with bounds, where it may build source archives."""

    command: list[str]
    bounds: Bounds | None = None

    @property
    def is_believed(self) -> bool:
        """Whether nobody but uv can have written its lock: in a sandbox, code that is built is a stranger."""
        return self.bounds is None or self.bounds.sandbox.name == NONE


@dataclass(frozen=True)
class PipTarget:
    """What packages are resolved for: conda platform, full Python version, virtual packages."""

    platform: str
    python: str
    virtual_packages: tuple[str, ...] = ()


def resolve_pip(
    requirements: Sequence[str],
    options: PipOptions,
    target: PipTarget,
    provided: Sequence[Distribution],
    cache_dir: Path,
    sandbox: Sandbox,
    timeout: float = 600.0,
    exclude_newer: str = "",
    sdists: bool = False,
    allowed: Sequence[str] = (),
) -> tuple[PypiEntry, ...]:
    """Return the wheels that ``requirements`` need beside what conda provides.

    Parameters
    ----------
    requirements : sequence of str
        PEP 508, with the hashes of the files that may be taken (``--hash=sha256:…``).
    options : PipOptions
        Indexes.
    target : PipTarget
        Platform and Python.
    provided : sequence of Distribution
        What conda installs; pinned, and left out of the answer.
    cache_dir : Path
        uv's cache.
    sandbox : Sandbox
        Where source archives are asked for what they need, which runs code in them.
    timeout : float
        Seconds.
    exclude_newer : str
        Leave out files that were uploaded after this moment (RFC 3339); empty for no limit.
    sdists : bool
        Where wheels alone do not satisfy them, take source archives too.
    allowed : sequence of str
        Indexes that packages may come from; empty for any. What a build of a source archive may have written into the
        lock is compared with them.

    Raises
    ------
    PipError
        Nothing satisfies them, or a package has no wheel; the text is uv's explanation. Or the file of a package is
        none of those whose hashes are given, or comes from elsewhere than the allowed indexes.
    """
    hashes = given_hashes(requirements)
    names = {canonicalize_name(distribution.name) for distribution in provided}
    with tempfile.TemporaryDirectory(prefix="envstore-pip-") as folder:
        root = Path(folder)
        wanted = [str(read_requirement(line)) for line in requirements]
        command = _compile_command(root, wanted, provided)
        command += ["--python-version", target.python, "--python-platform", uv_platform(target)]
        command += ["--cache-dir", str(cache_dir), *index_arguments(options)]
        command += ["--exclude-newer", exclude_newer] if exclude_newer else []
        attempts = [Attempt([*command, "--only-binary", ":all:"])]
        if sdists:
            asks = any(is_source(read_requirement(line).url or "") for line in requirements)
            attempts = [*(() if asks else attempts), _building(command, root, requirements, options, sandbox)]
        log, is_believed = _compile(attempts, timeout, wanted, root, _hint(provided), options)
        pylock = tomllib.loads(read_regular(root / "pylock.toml", MOST_LOCK).decode())
        unpacked = (locked_package(package, ()) for package in pylock.get("packages", []) if "wheels" in package)
        refuse_left_out(log, unpacked, cache_dir, partial(_unpack_one, command, timeout))
    found = [
        locked_package(package, hashes.get(canonicalize_name(package["name"]), frozenset()))
        for package in pylock.get("packages", [])
        if canonicalize_name(package["name"]) not in names
    ]
    if not is_believed:
        found = [without_claims(package, allowed) for package in found]
    return tuple(sorted(found, key=lambda package: package["name"]))


def _compile_command(root: Path, wanted: Sequence[str], provided: Sequence[Distribution]) -> list[str]:
    """Write what uv reads into ``root``, and return the command that locks ``wanted`` into ``pylock.toml`` there."""
    (root / "requirements.in").write_text("\n".join(wanted) + "\n", encoding="utf-8")
    pins = [f"{canonicalize_name(d.name)}=={d.version}" for d in provided]
    (root / "constraints.txt").write_text("\n".join(pins) + "\n", encoding="utf-8")
    _write_stubs(provided, root / "provided")
    command = [find_uv(), "pip", "compile", str(root / "requirements.in"), "--python", sys.executable]
    command += ["--constraints", str(root / "constraints.txt"), "--find-links", str(root / "provided")]
    command += ["--format", "pylock.toml", "--output-file", str(root / "pylock.toml")]
    return [*command, "--no-config", "--no-header", "--no-annotate", "--quiet"]


def _building(
    command: Sequence[str], root: Path, requirements: Sequence[str], options: PipOptions, sandbox: Sandbox
) -> Attempt:
    """Return a command that may build source archives; in a sandbox it has a cache of its own."""
    words = list(command)
    if sandbox.name != NONE:
        words[words.index("--cache-dir") + 1] = str(root / "cache")
    reads = (
        Path(find_uv()),
        *local_places([read_requirement(line).url or "" for line in requirements], options, sandbox),
    )
    reach = Reach(reads, (root,), network=True, own_python=True, way_out=way_out(root, sandbox))
    return Attempt(words, Bounds(sandbox, reach, root))


def local_places(urls: Sequence[str], options: PipOptions, sandbox: Sandbox) -> list[Path]:
    """Return the files and folders of this machine that packages are taken from.

    Raises
    ------
    PipError
        One of them must not be shown to code of packages.
    """
    places = [*urls, *options.find_links, *options.extra_index_urls, options.index_url or ""]
    found = [
        local_path(place) or Path(place) for place in places if place and not re.match(r"(?:git\+)?https?:", place)
    ]
    if hidden := [path for path in found if sandbox.hides(path)]:
        msg = f"{hidden[0]} cannot be read where source archives are built: put them into a folder of their own"
        raise PipError(msg)
    return [path for path in found if path.is_absolute()]


def _compile(
    attempts: Sequence[Attempt], timeout: float, wanted: Sequence[str], root: Path, hint: str, options: PipOptions
) -> tuple[str, bool]:
    """Run the first command that succeeds; return its log, and whether its lock is believed.

    Raises
    ------
    PipError
        None does: why the last one fails.
    """
    what = "PyPI packages cannot be resolved"
    *before, last = attempts
    for attempt in before:
        with contextlib.suppress(PipError):
            return run_uv(attempt.command, timeout, what, hint, attempt.bounds), attempt.is_believed
    try:
        return run_uv(last.command, timeout, what, hint, last.bounds), last.is_believed
    except PipError as error:
        found = with_all_faults(error, what, last.command, wanted, root, last.bounds)
        raise with_wheel_faults(found, options) from None


def _unpack_one(command: Sequence[str], timeout: float, package: PypiEntry, folder: Path) -> str:
    """Lock one package by itself, with an empty cache, and return what uv writes: it unpacks a wheel for its hash."""
    alone = folder / "requirements.in"
    alone.write_text(f"{package['name']} @ {package['url']}\n", encoding="utf-8")
    values = {"compile": str(alone), "--cache-dir": str(folder / "cache"), "--output-file": str(folder / "pylock.toml")}
    words = list(command)
    for name, value in values.items():
        words[words.index(name) + 1] = value
    words += ["--no-deps", "--only-binary", ":all:"]  # what is locked may be what a build wrote
    return run_uv(words, timeout, f"{package['name']} cannot be unpacked")


def given_hashes(requirements: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return the SHA-256 of the files that may be taken, for each package that has any."""
    found: dict[str, frozenset[str]] = {}
    for line in requirements:
        hashed = read_hashed(line)
        if hashed.hashes:
            name = canonicalize_name(hashed.requirement.name)
            found[name] = found.get(name, frozenset()) | frozenset(hashed.hashes)
    return found


def install_pip(
    packages: Sequence[PypiEntry],
    prefix: Path,
    cache_dir: Path,
    sandbox: Sandbox,
    timeout: float = 600.0,
    reinstall: bool = False,
    offline: bool = False,
) -> None:
    """Install locked wheels into ``prefix``, without resolving; every hash is checked.

    uv runs the Python of the prefix, which is code of packages: in ``sandbox``, behind a guard.

    With ``reinstall``, those that are there are installed once more; with ``offline`` nothing is fetched.

    Raises
    ------
    PipError
        A wheel cannot be fetched, or is not the one that was locked, or has files that lie elsewhere than its own.
    """
    options = [*(["--reinstall"] if reinstall else []), *(["--offline"] if offline else [])]
    python = prefix / "bin" / "python"
    log = _install(packages, python, cache_dir, sandbox, timeout, *options, "--link-mode", "hardlink")

    def unpack(package: PypiEntry, folder: Path) -> str:
        return _install([package], python, folder / "cache", sandbox, timeout, "--target", str(folder / "target"))

    refuse_left_out(log, packages, cache_dir, unpack)


def unpack_pip(
    packages: Sequence[PypiEntry],
    folder: Path,
    cache_dir: Path,
    target: PipTarget,
    timeout: float = 600.0,
    offline: bool = False,
) -> None:
    """Unpack locked wheels into ``folder``, to be read; any platform's, and no Python of theirs is needed.

    Raises
    ------
    PipError
        A wheel cannot be fetched, or is not the one that was locked.
    """
    options = [*(["--offline"] if offline else []), "--python-version", target.python]
    options += ["--python-platform", uv_platform(target), "--target", str(folder)]
    _install(packages, Path(sys.executable), cache_dir, Unbounded(), timeout, *options)


def _install(
    packages: Sequence[PypiEntry], python: Path, cache_dir: Path, sandbox: Sandbox, timeout: float, *options: str
) -> str:
    with tempfile.TemporaryDirectory(prefix="envstore-pip-") as folder:
        lock = Path(folder) / "pylock.toml"
        if sandbox.name != NONE:
            python = write_guard(Path(folder), python, cache_dir, sandbox)
        lock.write_text(pylock_text(packages), encoding="utf-8")
        command = [find_uv(), "pip", "install", "--python", str(python), "--no-deps"]
        command += ["--requirements", str(lock), "--require-hashes", "--no-config", "--quiet", "--no-build"]
        command += ["--cache-dir", str(cache_dir), "--break-system-packages", *options]
        return run_uv(command, timeout, "PyPI packages cannot be installed")


def provided_distributions(site_packages: Path) -> list[Distribution]:
    """Return the distributions that lie in ``site_packages``, from their ``dist-info``."""
    from email.parser import HeaderParser

    found = []
    for path in sorted(site_packages.glob("*.dist-info/METADATA")):
        text = path.read_text(encoding="utf-8", errors="replace")
        headers = HeaderParser().parsestr(text)
        if headers["Name"] and headers["Version"]:
            found.append(Distribution(headers["Name"], headers["Version"], text))
    return found


def uv_platform(target: PipTarget) -> str:
    """Return the platform in uv's spelling; for Linux with the newest C library that ``target`` has."""
    if target.platform in UV_PLATFORMS:
        return UV_PLATFORMS[target.platform]
    glibc = next((p.split("=")[1] for p in target.virtual_packages if p.startswith("__glibc=")), "2.28")
    minor = int((*glibc.split("."), "0")[1])
    newest = max((known for known in MANYLINUX if known <= minor), default=MANYLINUX[0])
    return f"{MACHINES[target.platform]}-manylinux_2_{newest}"


def _write_stubs(provided: Sequence[Distribution], folder: Path) -> None:
    """Write an empty wheel for each, with its real metadata.

    So uv knows their versions and needs even where the index does not have them.
    """
    folder.mkdir()
    for distribution in provided:
        stem = f"{re.sub(r'[-_.]+', '_', distribution.name)}-{distribution.version}"
        with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{stem}.dist-info/METADATA", distribution.metadata)
            wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{stem}.dist-info/RECORD", "")


def index_arguments(options: PipOptions) -> list[str]:
    """Return uv's arguments for indexes and local folders."""
    arguments = ["--default-index", options.index_url] if options.index_url else []
    for url in options.extra_index_urls:
        arguments += ["--index", url]
    for place in options.find_links:
        arguments += ["--find-links", place]
    return arguments


def _hint(provided: Sequence[Distribution]) -> str:
    return "\n(packages that conda installs keep their version)" if provided else ""
