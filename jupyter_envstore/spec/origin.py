"""Which system a file was exported on, and what of it no other system can follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_envstore.spec.document import Items, Table, Text
from jupyter_envstore.spec.package_editing import conda_name

SYSTEMS = {"win": "Windows", "osx": "macOS", "linux": "Linux"}
PREFIXES = {
    "win": re.compile(r"[A-Za-z]:[\\/]|\\\\"),
    "osx": re.compile(r"/Users/|/opt/homebrew/|/usr/local/Caskroom/"),
    "linux": re.compile(r"/(home|root)/"),
}
"""Where environments lie on one system alone."""
ONLY_ON = {
    "win": {
        *("vc", "vc14_runtime", "vs2015_runtime", "vcomp14", "ucrt", "icc_rt", "console_shortcut", "msys2-conda-epoch"),
        *("pywin32", "pywinpty", "winpty", "wincertstore", "comtypes", "libwinpthread"),
        *("m2w64-gcc-libs", "m2w64-gcc-libgfortran", "m2w64-gcc-libs-core", "m2w64-gmp", "m2w64-libwinpthread-git"),
        *("m2-msys2-runtime", "m2-gcc-libs"),
    },
    "osx": {"python.app", "pyobjc-core", "pyobjc-framework-cocoa"},
    "linux": {"_libgcc_mutex", "ld_impl_linux-64", "ld_impl_linux-aarch64", "libgcc-ng", "libstdcxx-ng", "libstdcxx"},
}
"""Packages that no channel has for another system."""
PART_OF = {
    "win": {"menuinst", "win_inet_pton", "pyreadline3"},
    "osx": {"appnope", "libcxx", "llvm-openmp"},
    "linux": {"_openmp_mutex", "libgomp", "libgcc", "secretstorage", "jeepney"},
}
"""Packages that are to be had elsewhere too, and that an export of one system lists since others need them there."""
PIP_ONLY_ON = {"win": {"pywin32", "pywinpty", "comtypes"}, "osx": {"pyobjc-core"}, "linux": set[str]()}
MARKED_BUILDS = {
    "win": re.compile(r"win_|.*_win(_|$)"),
    "osx": re.compile(r"osx_|.*_osx(_|$)"),
    "linux": re.compile(r"linux_|.*_linux(_|$)"),
}
"""Build strings that name their system."""
COMPILED = {
    "win": {
        *("haa95532", "h2bbff1b", "he774522", "h8ffe710", "hcfcfb64", "h2466b09", "h57928b3"),
        *("hcbf5309", "h5588dad", "h1ea47a8", "h2e8e312"),
    },
    "osx": {
        *("hecd8cb5", "hca03da5", "h0d85af4", "h10d778d", "hfdf4475", "h3422bc3", "h93a5062", "h99b78c6", "h80987f9"),
        *("h6e9494a", "h2ec42d9", "h6eed73b", "hbe9552e", "h267d04e"),
    },
    "linux": {
        *("h06a4308", "h7b6447c", "h5eee18b", "h7f98852", "h166bdaf", "hd590300", "h4bc722e", "hb9d3cd8"),
        *("hf3d152e", "hff52083", "h38be061"),
    },
}
"""Hashes in build strings that only one system's compilers give: conda-build makes them of the compilers' versions, and
many packages of conda-forge and Anaconda's channels depend on nothing else."""
HASHED = re.compile(r"(?:py\d+)?(h[0-9a-f]{7})_\d+")
SEVERAL = 2
EXPORTED = re.compile(r"(?:\S+::)?[A-Za-z0-9_.-]+\s?==?(?P<version>[\w.!+-]+)=(?P<build>[A-Za-z0-9][\w.+]*)")
"""A package as ``conda env export`` writes it: one version and one build, no bound and no pattern."""
PINNED = re.compile(r"(?:\S+::)?[A-Za-z0-9_.-]+\s?==?\s?[\w.!+-]+")


@dataclass(frozen=True)
class Listed:
    """A plain dependency: its place, its name, and its build string where it is written as an export writes it."""

    item: Text
    name: str
    build: str = ""

    @property
    def pinned(self) -> bool:
        """Whether it is bound to one version, as in an export."""
        return bool(self.build or PINNED.fullmatch(self.item.strip()))

    @property
    def without_build(self) -> str:
        """The same without its build string."""
        return str(self.item).rstrip()[: -len(f"={self.build}")]


def listed(root: Table) -> list[Listed]:
    """Return each plain dependency of a document."""
    dependencies = root.get("dependencies")
    found = []
    for item in dependencies if isinstance(dependencies, Items) else []:
        if isinstance(item, Text):
            exported = EXPORTED.fullmatch(item.strip())
            found.append(Listed(item, conda_name(item), exported["build"] if exported else ""))
    return found


def origin(root: Table, packages: Sequence[Listed]) -> str | None:
    """Return the system that a file was exported on; None where nothing says so for certain.

    Its prefix says so; or several build strings that only one system makes, where none is of another. One
    name never does: somebody may want it, and a misspelling of a system is no fault of the others.
    """
    prefix = str(root.get("prefix") or "").strip()
    for system, pattern in PREFIXES.items():
        if pattern.match(prefix):
            return system
    counts = {
        system: len({package.name for package in packages if package.build and _is_made_on(package, system)})
        for system in SYSTEMS
    }
    found = [system for system, count in counts.items() if count]
    return found[0] if len(found) == 1 and counts[found[0]] >= SEVERAL else None


def _is_made_on(package: Listed, system: str) -> bool:
    hashed = HASHED.fullmatch(package.build)
    return (
        package.name in ONLY_ON[system]
        or MARKED_BUILDS[system].match(package.build) is not None
        or (hashed is not None and hashed[1] in COMPILED[system])
    )


def is_useless(package: Listed, system: str, here: str) -> bool:
    """Whether a package of a file that was exported on ``system`` is of no use ``here``.

    One that is to be had here too stays, unless it is bound to a version: then the export listed it for another's
    sake, and who needs it here brings it.
    """
    if package.name in ONLY_ON[here] | PART_OF[here]:
        return False
    return package.name in ONLY_ON[system] or (package.name in PART_OF[system] and package.pinned)
