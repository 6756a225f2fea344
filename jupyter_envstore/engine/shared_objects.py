"""The shared objects of a prefix, and which libraries they would not find: what ``ldd`` tells, without running it.

The loader's rules are those of ``ld.so(8)``: the ``RPATH`` of an object and of those that load it, where it has no
``RUNPATH``; then its ``RUNPATH``; then the system's cache and folders.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_envstore.engine.elf import SharedObject, read_shared_object
from jupyter_envstore.engine.process_environment import scrubbed_environment

OF_DRIVERS = re.compile(r"(libcuda|libcudadebugger|libnvidia-[\w-]+|libnvcuvid|libnvoptix|libze_loader)\.so")
"""Libraries that come with a driver, which no package brings and a server need not have."""
LOADER = re.compile(r"(ld-linux\S*|ld-musl\S*|linux-vdso|linux-gate|ld64)\.so")
EXTENSION = re.compile(r"site-packages/(.*/)?(?!lib)[^/]+\.so$|\.(cpython-[\w-]+|abi3)\.so$")
SYSTEM_FOLDERS = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


@dataclass
class Missing:
    """A library that is nowhere, and who needs it.

    Parameters
    ----------
    library : str
        Its name.
    objects : list of str
        Paths in the prefix.
    is_used : bool
        Whether a program or an extension module of Python needs it, itself or by what it loads. Otherwise it is for
        plug-ins, which somebody may load or not.
    """

    library: str
    objects: list[str] = field(default_factory=list)
    is_used: bool = False


@dataclass
class Libraries:
    """What :func:`check_libraries` found: how many objects there are, and what they lack.

    ``elsewhere`` are libraries that are there, but not where the objects look; some packages load them beforehand.
    """

    count: int = 0
    missing: list[Missing] = field(default_factory=list)
    elsewhere: list[Missing] = field(default_factory=list)


def check_libraries(prefix: Path) -> Libraries:
    """Look whether all shared objects and programs of a prefix find the libraries that they need."""
    if sys.platform != "linux":
        return Libraries()
    objects, names = _objects(prefix)
    system = _system_libraries()
    loaders: dict[str, set[str]] = defaultdict(set)
    open_needs: list[tuple[str, str]] = []
    for path, found in objects.items():
        own = found.runpath or found.rpath
        for library in found.needed:
            place = _look(prefix, path, own, library)
            if place is not None:
                loaders[place].add(path)
            elif not (library in system or LOADER.match(library) or OF_DRIVERS.match(library)):
                open_needs.append((path, library))
    missing: dict[str, Missing] = {}
    elsewhere: dict[str, Missing] = {}
    for path, library in open_needs:
        above = _ancestors(path, loaders)
        if any(_look(prefix, one, objects[one].rpath, library) for one in above if not objects[one].runpath):
            continue
        entry = (elsewhere if library in names else missing).setdefault(library, Missing(library))
        entry.objects.append(path)
        entry.is_used = entry.is_used or any(_is_entry(one) for one in (path, *above))
    return Libraries(len(objects), [*missing.values()], [*elsewhere.values()])


def _objects(prefix: Path) -> tuple[dict[str, SharedObject], set[str]]:
    """Return the shared objects below ``lib`` and the programs in ``bin``, and all names that libraries have there."""
    objects: dict[str, SharedObject] = {}
    names: set[str] = set()
    for top, every in (("lib", False), ("bin", True)):
        for folder, _, files in os.walk(prefix / top):
            inside = os.path.relpath(folder, prefix)
            for name in files:
                if not every and ".so" not in name:
                    continue
                names.add(name)
                path = Path(folder, name)
                found = None if path.is_symlink() else read_shared_object(path)
                if found is not None:
                    objects[f"{inside}/{name}"] = found
    return objects, names


def _look(prefix: Path, path: str, places: Iterable[str], library: str) -> str | None:
    """Return the object in the prefix that the loader finds for a need of ``path``."""
    origin = str(prefix / path).rsplit("/", 1)[0]
    for place in [origin] if "/" in library else places:
        folder = place.replace("$ORIGIN", origin).replace("${ORIGIN}", origin)
        found = os.path.join(folder, library)  # noqa: PTH118 - many, most of them not there
        if os.path.exists(found):  # noqa: PTH110
            return os.path.relpath(os.path.realpath(found), os.path.realpath(prefix))
    return None


def _ancestors(path: str, loaders: dict[str, set[str]]) -> set[str]:
    """Return all objects that load ``path``, themselves or by others."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        for one in loaders.get(waiting.pop(), ()):
            if one not in found:
                found.add(one)
                waiting.append(one)
    return found


def _is_entry(path: str) -> bool:
    """Whether people load a file by its name: a program, or an extension module of Python."""
    return path.startswith("bin/") or EXTENSION.search(path) is not None


def _system_libraries() -> set[str]:
    """Return the names of the libraries that the system's loader finds by itself."""
    program = next((path for path in ("/sbin/ldconfig", "/usr/sbin/ldconfig") if Path(path).exists()), None)
    names: set[str] = set()
    if program:
        environment = scrubbed_environment(LC_ALL="C")
        done = subprocess.run([program, "-p"], capture_output=True, text=True, check=False, env=environment, timeout=30)
        names.update(line.split()[0] for line in done.stdout.splitlines()[1:] if line.strip())
    for folder in SYSTEM_FOLDERS:
        if Path(folder).is_dir():
            names.update(path.name for path in Path(folder).glob("*.so*"))
    return names
