"""Layers that packages have in every image: such a package need not be linked again to be in the next one.

What lies in a layer of one package follows from the package, the path that it is linked for, Python (where packages for
every platform go, and their byte code) and our tools, as long as no other package and no script has a hand in it. The
layers of an image are noted by that as well, if each of their files was seen to be what the package brought. Of the
next image's packages, those that have such a layer are left out of what is linked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupyter_envstore.engine.byte_code_paths import byte_code_path, python_folder
from jupyter_envstore.engine.collisions import OutsideLink, Registry
from jupyter_envstore.engine.dependencies import dependencies, with_dependencies
from jupyter_envstore.engine.package_guard import cached_registry
from jupyter_envstore.engine.record import PlatformLock, package_hash
from jupyter_envstore.errors import PackageError
from jupyter_envstore.images.oci import Layer, LayerCache, canonical

FORMAT = 4
"""Raised when the bytes of layers change for the same packages, so that old ones are not found again."""
READ = "etc/conda/"
"""What is read of packages that are linked, to say how an image is run."""
OURS = ("etc/envstore/", "conda-meta/", "CACHEDIR.TAG")
"""What is written into a prefix beside packages."""


@dataclass(frozen=True)
class KnownLayers:
    """Packages and their layers.

    Parameters
    ----------
    keys : mapping
        What a package's layer is found by, for every package whose layer depends on nothing else.
    layers : mapping
        The layers that are there, by package.
    to_link : PlatformLock or None
        What is still to be linked; None is all.
    outside_links : tuple of OutsideLink
        Links that lead out of the environment, of all its packages; told where not all are linked.
    """

    keys: Mapping[str, str] = field(default_factory=dict)
    layers: Mapping[str, Layer] = field(default_factory=dict)
    to_link: PlatformLock | None = None
    outside_links: tuple[OutsideLink, ...] = ()


def known_layers(
    lock: PlatformLock, target: Path, tools: Mapping[str, str], cache_dir: Path, cache: LayerCache, room: int
) -> KnownLayers:
    """Return the layers that the packages of an environment have already, and what is left to link.

    All of them are linked where PyPI packages may write over their files, where two have the same path, or one has
    another's byte code, and where the package cache cannot tell.

    Parameters
    ----------
    target : Path
        Prefix that is written into files.
    tools : mapping
        Versions, and whatever else the bytes of all layers depend on.
    cache_dir : Path
        Package cache.
    room : int
        How many packages may have a layer of their own. Of more, their files' sizes tell which ones share a layer.
    """
    if lock.pip:
        return KnownLayers()
    try:
        registry = cached_registry(lock, cache_dir)
    except PackageError:  # linking all of them says so, or fetches anew what is damaged
        return KnownLayers()
    if any(record["name"] not in registry for record in lock.conda) or _are_mixed(registry, python_folder(lock)):
        return KnownLayers()
    keys = _package_keys(lock, target, tools)
    found = cache.find(keys.values()) if len(lock.conda) <= room else {}
    layers = {name: found[key] for name, key in keys.items() if key in found}
    if not layers:
        return KnownLayers(keys)
    needs = dependencies(lock.conda)
    needed = {name for path, name in registry.files.items() if path.startswith(READ)}
    needed |= {name for name in needs if name not in layers}
    needed |= with_dependencies({"python"} & needs.keys(), needs)
    to_link = replace(lock, conda=tuple(record for record in lock.conda if record["name"] in needed))
    return KnownLayers(keys, layers, to_link, tuple(registry.outside_links()))


def _are_mixed(registry: Registry, folder: str) -> bool:
    """Whether what lies in a package's layer, or is read of it, may be another's, or ours.

    Parameters
    ----------
    folder : str
        Where the modules of Python lie.
    """
    if registry.shared or any(path.startswith(READ) for path in registry.links):
        return True
    for path, name in registry.files.items():
        byte_code = byte_code_path(path, folder)
        if path.startswith(OURS) or (byte_code and registry.files.get(byte_code, name) != name):
            return True
    return False


def _package_keys(lock: PlatformLock, target: Path, tools: Mapping[str, str]) -> dict[str, str]:
    python = next((record for record in lock.conda if record["name"] == "python"), None)
    same = canonical([FORMAT, str(target), tools, python])
    hashed = [record for record in lock.conda if package_hash(record)]
    return {record["name"]: hashlib.sha256(same + canonical([record])).hexdigest() for record in hashed}
