"""Which files an archive contains, and where each is taken from, by conda-pack's rules.

conda-pack reads what a package lists and maps it into the prefix itself: by ``info/link.json``, which the linker does
not heed, and by the version of Python. Where the linker did otherwise, it misses files which are there. So the files of
a package are those of its record in ``conda-meta``, which the linker wrote.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_envstore.engine.conda_meta import META
from jupyter_envstore.engine.path_rules import places_in_package
from jupyter_envstore.errors import ArtifactError
from jupyter_envstore.spec.wording import counted

if TYPE_CHECKING:
    from conda_pack.core import File

NOT_PACKED = frozenset(f"bin/{name}" for name in ("conda", "activate", "deactivate"))
"""What conda writes into environments that it activates."""


def packed_files(prefix: Path, present: Collection[str], site_packages: str, removed: Collection[str]) -> list[File]:
    """Return the files of an environment as conda-pack's objects, sorted.

    Files with the prefix in them are taken out of the package cache: a package's own placeholder leaves more room.

    Parameters
    ----------
    present : collection of str
        All files, links and empty folders in the prefix.
    site_packages : str
        Where Python packages lie in the prefix.
    removed : collection of str
        Files of packages that are not there, and need not be.

    Raises
    ------
    ArtifactError
        A file of a package is not in the prefix, or not in the cache.
    """
    from conda_pack.compat import find_py_source
    from conda_pack.core import File

    found: dict[str, File] = {}
    for meta in sorted((prefix / META).glob("*.json")):
        record = json.loads(meta.read_bytes())
        check_present(record, {path for path in record["files"] if path not in present and path not in removed})
        for file in _of_package(prefix, record, present, site_packages):
            found[file.target] = file
        name = f"{META}{meta.name}"
        found[name] = File(str(meta), name)
    history = f"{META}history"
    if history in present:
        found[history] = File(f"{prefix}/{history}", history)
    for path in set(present) - found.keys() - NOT_PACKED:
        if find_py_source(path) not in found:
            found[path] = File(f"{prefix}/{path}", path, is_conda=False, file_mode="unknown")
    return [found[path] for path in sorted(found)]


def check_present(record: Mapping[str, Any], missing: Collection[str]) -> None:
    """Refuse to pack an environment without a file of a package.

    Raises
    ------
    ArtifactError
        With the package and the file.
    """
    if missing:
        first = sorted(missing)[0]
        more = f" (and {counted(len(missing) - 1, 'more file')})" if len(missing) > 1 else ""
        msg = (
            f"the environment cannot be packed: {first}{more} of {record['name']} {record['version']} is missing. "
            "If a PyPI package took the place of this conda package, ask for one of the two only, and build again"
        )
        raise ArtifactError(msg)


def _of_package(
    prefix: Path, record: Mapping[str, Any], present: Collection[str], site_packages: str
) -> Iterator[File]:
    from conda_pack.core import File

    for entry in record["paths_data"]["paths"]:
        path = str(entry["_path"])
        if path not in present:
            continue
        placeholder = entry.get("prefix_placeholder")
        if placeholder:
            yield File(_source(record, path, site_packages), path, True, entry.get("file_mode") or "text", placeholder)
        else:
            is_program = str(entry.get("path_type")).endswith("entry_point")
            yield File(f"{prefix}/{path}", path, True, "unknown" if is_program else None)


def _source(record: Mapping[str, Any], path: str, site_packages: str) -> str:
    """Return where the file of a prefix is in the package cache.

    Raises
    ------
    ArtifactError
        It is not there.
    """
    folder = str((record.get("link") or {}).get("source") or os.devnull)
    for name in places_in_package(path, site_packages):
        if os.path.lexists(f"{folder}/{name}"):
            return f"{folder}/{name}"
    msg = (
        f"the environment cannot be packed: {path} of {record['name']} {record['version']} is not in the package cache "
        "any more; ask for the archive again"
    )
    raise ArtifactError(msg)
