"""Where code of packages runs: as the worker's own processes do, or in a sandbox that shows it nothing of the store.

Whoever may make an environment may run code when it is built: packages bring link scripts, activation scripts, modules
that are imported, source archives that are built, and the Python itself. A sandbox is a prefix of the command line, so
each place that starts such a program says what the program may reach and runs what it is given.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from jupyter_envstore.config import StoreConfig
from jupyter_envstore.engine import network_relay
from jupyter_envstore.engine.stray_processes import JOB_MARK
from jupyter_envstore.errors import InvalidInputError

NONE, BUBBLEWRAP = "none", "bubblewrap"
CHOICES = (NONE, BUBBLEWRAP)
MEMORY = 8 * 2**30
"""Bytes of data that one process may have (``RLIMIT_DATA``)."""
PROCESSES, OWN_PROCESSES = 4096, 1024
"""How many processes all sandboxes of the account may have together, and each of them (``RLIMIT_NPROC``): for programs
that only multiply. The system lets root have as many as it wants."""
COUNTED_APART = (5, 14)
"""The version of Linux from which the processes of each user namespace are counted apart (user_namespaces(7))."""
MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
"""Folders at the top of a system, which are links into ``/usr`` in many."""
SETTINGS = (
    "alternatives", "ca-certificates", "fonts", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime",
    "nsswitch.conf", "os-release", "passwd", "pki/ca-trust", "pki/tls/certs", "ssl/certs", "ssl/openssl.cnf",
    "timezone",
)  # fmt: skip
"""Below ``/etc``, what programs read and nobody hides."""
NETWORK_SETTINGS = ("hosts", "protocols", "resolv.conf", "services")
DEVICES = ("/sys/devices/system/cpu", "/sys/devices/system/node")
"""Where programs read how many processors there are."""
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables that name files which a program reads that asks the network."""
CHECK_SECONDS = 20.0
JOIN_SESSION_KEYRING = 1
"""Of ``keyctl(2)``."""
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - of its own
SCRATCH = 2 << 30
"""Bytes that a folder of temporary files may hold: they are in memory."""
CONFIGURATION = ("/usr/etc", "/usr/local/etc")
"""Below ``/usr``, what admins write."""
PROXIES = {f"{kind}_{end}" for kind in ("http", "https", "all", "no") for end in ("proxy",)}
PROXIES |= {name.upper() for name in PROXIES}
"""Variables that may have a login, and that nobody needs who has no network."""


@dataclass(frozen=True)
class Reach:
    """What a program that runs code of packages may reach, beside the programs and libraries of the system.

    Parameters
    ----------
    reads, writes : tuple of Path
        Files and folders, with all that is below; the others are not there for it.
    network : bool
        Whether it may ask the network.
    way_out : Path or None
        The socket at which the network is asked then, in a folder that it may write into
        (:func:`jupyter_envstore.engine.checked_network.way_out`); None for the network of the machine.
    own_python : bool
        Whether it may run the worker's own Python and read its packages.
    """

    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    network: bool = False
    own_python: bool = False
    way_out: Path | None = None


class Sandbox(Protocol):
    """Bounds what a program may reach."""

    @property
    def name(self) -> str:
        """One of :data:`CHOICES`."""

    @property
    def reads(self) -> tuple[Path, ...]:
        """What all programs may read beside the system's own folders."""

    @property
    def store(self) -> Path | None:
        """The folder of the store, which they do not see."""

    def command(self, words: Sequence[str], reach: Reach, folder: Path) -> list[str]:
        """Return the command line that runs ``words`` in ``folder`` with no more than ``reach``."""

    def hides(self, path: Path) -> bool:
        """Whether a folder must not be shown though somebody names it."""

    def ended(self, code: int) -> int:
        """Return what the exit code of this command line says of ``words``: below zero for a signal."""


class Unbounded:
    """No sandbox: programs reach what the account does."""

    name = NONE
    reads: tuple[Path, ...] = ()
    store: Path | None = None

    def command(self, words: Sequence[str], reach: Reach, folder: Path) -> list[str]:
        """Return ``words``: whoever starts them says where they run."""
        del reach, folder
        return list(words)

    def hides(self, path: Path) -> bool:
        """Return that nothing is hidden."""
        del path
        return False

    def ended(self, code: int) -> int:
        """Return the code as it is."""
        return code


class Bubblewrap:
    """A sandbox by the program bubblewrap (``bwrap(1)``): namespaces of its own for files, processes and network.

    Parameters
    ----------
    reads : sequence of Path
        What all programs may read beside the system's own folders, as of drivers below ``/opt``.
    store : Path or None
        The folder of the store: of what is in it they see what they are given alone, wherever it lies.
    """

    name = BUBBLEWRAP

    def __init__(self, reads: Sequence[Path] = (), store: Path | None = None) -> None:
        self.reads = tuple(reads)
        self.store = store

    def command(self, words: Sequence[str], reach: Reach, folder: Path) -> list[str]:
        """Return the command line; what ``reach`` names and is not there is left out."""
        memory, processes = allowed(resource.RLIMIT_DATA, MEMORY), allowed(resource.RLIMIT_NPROC, PROCESSES)
        limits = ["prlimit", "--core=0", f"--data={memory}", f"--nproc={processes}"]
        options = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
        options += ["--share-net"] if reach.network and reach.way_out is None else []
        if reach.network and reach.way_out is not None:
            reach = replace(reach, own_python=True)
            words = [sys.executable, "-I", network_relay.__file__, str(reach.way_out), network_relay.SEPARATOR, *words]
        options += [*self._system(reach), *self._reached(reach), "--chdir", str(folder)]
        if counts_apart():
            words = ["prlimit", f"--nproc={min(OWN_PROCESSES, processes)}", *words]
        return [*limits, "bwrap", *options, "--", *words]

    def hides(self, path: Path) -> bool:
        """Whether a folder must not be shown though somebody names it: one with the store, or of it, or a home."""
        real = Path(os.path.realpath(path))
        if Path(os.path.realpath(Path.home())).is_relative_to(real):
            return True
        store = None if self.store is None else Path(os.path.realpath(self.store))
        return store is not None and (store.is_relative_to(real) or real.is_relative_to(store))

    def ended(self, code: int) -> int:
        """Return the exit code of what ran: bubblewrap tells of a signal as shells do, by a code above 128."""
        return 128 - code if 128 < code < 192 else code

    def _system(self, reach: Reach) -> Iterator[str]:
        """Yield the options for what every program needs of a system."""
        yield from ("--ro-bind", "/usr", "/usr")
        for name in MERGED:
            path = Path("/", name)
            if path.is_symlink():
                yield from ("--symlink", str(path.readlink()), str(path))
            elif path.is_dir():
                yield from ("--ro-bind", str(path), str(path))
        yield from ("--proc", "/proc", "--dev", "/dev")
        for folder in TEMPORARY:
            yield from ("--size", str(SCRATCH), "--tmpfs", folder)
        for folder in CONFIGURATION:
            if Path(folder).is_dir():
                yield from ("--tmpfs", folder)
        unset = {JOB_MARK, *(() if reach.network else PROXIES)}
        for name in sorted(unset & set(os.environ)):
            yield from ("--unsetenv", name)
        for name in (*SETTINGS, *(NETWORK_SETTINGS if reach.network else ())):
            yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
        for device in DEVICES:
            yield from ("--ro-bind-try", device, device)

    def _reached(self, reach: Reach) -> Iterator[str]:
        """Yield the options for what a program may reach; what lies above comes first, so that it hides nothing."""
        around = [*self.reads, *(own_python() if reach.own_python else ())]
        yield from _bound(dict.fromkeys(around, "--ro-bind"))
        for prefix in {sys.prefix, sys.base_prefix}:  # a server's configuration may have passwords
            yield from _hidden(Path(prefix, "etc", "jupyter"), [Path("/usr"), *around])
        if self.store is not None:
            yield from _hidden(self.store, [Path("/usr"), *around])
        found = dict.fromkeys(reach.reads, "--ro-bind")
        if reach.network:
            named = (os.environ.get(name) for name in CERTIFICATES)
            found |= {Path(path): "--ro-bind" for path in named if path}
        yield from _bound(found | dict.fromkeys(reach.writes, "--bind"))


def _bound(found: Mapping[Path, str]) -> Iterator[str]:
    """Yield the options that bring files and folders to their own places."""
    for path in sorted(found, key=lambda path: len(path.parts)):
        if path.exists():
            yield from (found[path], str(path), str(path))


def _hidden(path: Path, around: Sequence[Path]) -> Iterator[str]:
    """Yield the options that put an empty folder where one is that must not be seen."""
    for place in {path, Path(os.path.realpath(path))}:
        if place.is_dir() and any(place.is_relative_to(other) for other in around):
            yield from ("--tmpfs", str(place))


def allowed(kind: int, most: int) -> int:
    """Return a limit of the system, or what the account may have of it where that is less (getrlimit(2))."""
    hard = resource.getrlimit(kind)[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


@cache
def counts_apart() -> bool:
    """Whether the system counts the processes of each sandbox apart, so that each may have a limit of its own."""
    found = re.match(r"(\d+)\.(\d+)", platform.release())
    return found is not None and (int(found[1]), int(found[2])) >= COUNTED_APART


def own_python() -> list[Path]:
    """Return the files and folders that this process's Python consists of, with its packages.

    Of the folders where it looks for modules, those of installed packages alone: the first one is where it was started.
    """
    packages = [Path(place) for place in sys.path if Path(place).name in ("site-packages", "dist-packages")]
    own = Path(__file__).parent.parent  # where it is not installed, but linked to
    real = Path(os.path.realpath(sys.executable)).parent
    places = [Path(sys.prefix), Path(sys.base_prefix), *packages, own, real]
    return [place for place in places if place.is_absolute() and place.parts[1:2] != ("usr",)]


def sandbox_for(config: StoreConfig) -> Sandbox:
    """Return the sandbox of a store.

    Raises
    ------
    InvalidInputError
        It is not known.
    """
    return sandbox_of(config.sandbox, config.sandbox_reads, config.root_dir)


def sandbox_of(name: str, reads: Sequence[str] = (), store: str = "") -> Sandbox:
    """Return a sandbox by its name.

    Raises
    ------
    InvalidInputError
        It is not known.
    """
    if name == NONE:
        return Unbounded()
    if name == BUBBLEWRAP:
        return Bubblewrap([Path(path) for path in reads], Path(store) if store else None)
    msg = f"sandbox {name[:60]!r} is not known; known: {', '.join(CHOICES)}"
    raise InvalidInputError(msg)


def leave_keyring() -> None:
    """Let this process, and what it starts, have a session keyring of its own (keyrings(7)), where the system has them.

    A sandbox has no namespace for keyrings: its programs would read what the account keeps in that of its session.
    """
    number = {"x86_64": 250, "aarch64": 219, "ppc64le": 271}.get(platform.machine())
    if sys.platform != "linux" or number is None:
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).syscall(number, JOIN_SESSION_KEYRING, None)


def check_sandbox(sandbox: Sandbox) -> None:
    """Run a program in a sandbox, to see that this machine lets it.

    Raises
    ------
    InvalidInputError
        It does not, with the way out.
    """
    missing = [program for program in ("bwrap", "prlimit") if shutil.which(program) is None]
    way = "c.EnvStoreApp.sandbox = 'none' runs code of packages as the store's account"
    if sandbox.name == NONE:
        return
    if missing:
        msg = f"the sandbox needs the program {missing[0]}: install bubblewrap and util-linux; {way}"
        raise InvalidInputError(msg)
    try:
        command = sandbox.command(["/bin/sh", "-c", "exit 0"], Reach(), Path("/"))
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CHECK_SECONDS)
        said = done.stderr.strip().splitlines()[-1:] if done.returncode else []
        reason = (said or [f"exit code {done.returncode}"])[0] if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it gives no answer"
    if reason:
        msg = f"the sandbox does not work on this machine ({reason}): let accounts use user namespaces; {way}"
        raise InvalidInputError(msg)
