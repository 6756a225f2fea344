"""Read a conda-lock file (version 1) structurally, without importing conda-lock."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, cast

from packaging.utils import canonicalize_name

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.addresses import check_url, file_of, masked
from jupyter_envstore.spec.document import Items, Table, Text
from jupyter_envstore.spec.lock_entries import CondaLockfile, Hashes, LockfileEntry
from jupyter_envstore.spec.sources import check_repository
from jupyter_envstore.spec.specification import Specification, check_variable
from jupyter_envstore.spec.wording import counted

MAX_PACKAGES = 20_000
ENTRY_KEYS = {
    "name", "version", "manager", "platform", "dependencies", "url", "hash",
    "category", "categories", "optional", "source", "build",
}  # fmt: skip
REQUIRED = ("name", "version", "manager", "platform", "url", "hash")
DEFAULT_CATEGORIES = ("main", "dev")
"""What ``conda-lock install`` takes where nobody says otherwise."""
VIRTUAL = "what begins with __ stands for what a system has"
HASHES = {"md5": re.compile(r"[0-9a-f]{32}"), "sha256": re.compile(r"[0-9a-f]{64}")}


OTHER_VERSIONS = ("2", "3")
"""What ``version`` was in a pixi.lock that still had the form of conda-lock's file."""
PIXI_KEYS = {"build_number", "subdir", "constrains", "timestamp", "arch", "noarch", "kind", "requires_dist"}
"""Keys of packages in a pixi.lock of that form which conda-lock does not write."""


def read_lockfile(
    root: Mapping[str, Any], text: str, allow_local_files: bool, categories: Sequence[str] = ()
) -> tuple[Specification, list[Fault]]:
    """Return the specification that a lockfile is, and its faults.

    Without ``categories``, packages of other ones than ``main`` and ``dev`` are left out, as ``conda-lock install``
    does; the notes tell how many. ``main`` is always taken.

    Parameters
    ----------
    root : dict
        What the text holds; a :class:`~jupyter_envstore.spec.located_values.Table` gives faults their lines.
    text : str
        The text.
    allow_local_files : bool
        Whether addresses may be local files.
    categories : sequence of str
        Which to take beside ``main``.
    """
    refused = _of_another_kind(root)
    if refused is not None:
        return Specification(text=text), [refused]
    faults: list[Fault] = []
    metadata, packages = _checked_parts(root, faults)
    virtual = [str(item["name"]) for item in packages if _is_virtual(item)]
    entries = [
        _entry(item, place, allow_local_files, faults) for place, item in enumerate(packages) if not _is_virtual(item)
    ]
    kept, notes = _chosen([entry for entry in entries if entry], categories, faults)
    custom = plain(metadata.get("custom_metadata")) or {}
    lock: CondaLockfile = {"version": 1, "metadata": plain(metadata), "package": kept}
    specification = Specification(
        name=custom.get("name") if isinstance(custom, dict) else None,
        description=custom.get("description", "") if isinstance(custom, dict) else "",
        variables=_variables(custom, metadata, faults),
        platforms=tuple(str(platform) for platform in plain(metadata.get("platforms")) or ()),
        lockfile=lock,
        text=text,
        notes=(*notes, *_virtual_note(virtual)),
    )
    return specification, faults


def _checked_parts(root: Mapping[str, Any], faults: list[Fault]) -> tuple[Mapping[str, Any], Sequence[Any]]:
    """Return the metadata and the packages of a lockfile; empty ones, with a fault, where they cannot be used."""
    if str(root.get("version")) not in ("1", "None"):
        message = f"lockfile version {root.get('version')} is not known; version 1 is"
        faults.append(Fault(message, _line(root, "version"), "version"))
    metadata = root["metadata"]
    if not isinstance(metadata, dict) or not isinstance(metadata.get("platforms"), list):
        faults.append(Fault("must hold 'platforms'", _line(root, "metadata"), "metadata"))
        metadata = {}
    packages = root["package"]
    if not isinstance(packages, list) or not packages or len(packages) > MAX_PACKAGES:
        message = f"must be a list of 1 to {MAX_PACKAGES} packages"
        faults.append(Fault(message, _line(root, "package"), "package"))
        packages = []
    return metadata, packages


def _chosen(
    entries: list[LockfileEntry], categories: Sequence[str], faults: list[Fault]
) -> tuple[list[LockfileEntry], list[str]]:
    """Return the packages of the chosen categories, and what is told of others; a fault where there is none."""
    chosen = with_main(categories) or DEFAULT_CATEGORIES
    known = {name for entry in entries for name in entry["categories"]}
    unknown = sorted(set(categories) - known - {"main"})
    if unknown and not faults:
        msg = f"the lockfile has no category {', '.join(unknown)[:100]}; it has {', '.join(sorted(known))[:300]}"
        faults.append(Fault(msg))
    kept, notes = _of_categories(entries, chosen)
    if not kept and not faults:
        why = notes[0] if notes else f"the others are no files: {VIRTUAL}"
        faults.append(Fault(f"no package is of the category {' or '.join(chosen)[:100]}; {why}"))
    return kept, notes


def _line(table: Mapping[str, Any], key: str) -> int | None:
    return table.lines.get(key) if isinstance(table, Table) else None


def _of_another_kind(root: Mapping[str, Any]) -> Fault | None:
    """Return what is wrong with a pixi.lock of versions 1 to 3, which had the form of conda-lock's file."""
    packages = root["package"]
    first = packages[0] if isinstance(packages, list) and packages else None
    keys = set(first) if isinstance(first, dict) else set()
    version = str(root.get("version"))
    is_pixi = bool(keys & PIXI_KEYS) or (isinstance(first, dict) and isinstance(first.get("dependencies"), list))
    if not is_pixi and version not in OTHER_VERSIONS:
        return None
    msg = (
        f"this is a pixi.lock of version {version[:20]}, as old pixi wrote it; renew it beside its pixi.toml "
        "with: pixi lock; or build from the pixi.toml"
    )
    return Fault(msg, _line(root, "version"), "version" if "version" in root else "")


def _is_virtual(item: object) -> bool:
    """Whether a locked package is one that stands for what a system has (``__glibc``, ``__osx``), and is no file."""
    return (
        isinstance(item, dict)
        and str(item.get("name") or "").startswith("__")
        and item.get("manager", "conda") == "conda"
    )


def _virtual_note(names: Sequence[str]) -> list[str]:
    """Return what is told of virtual packages that were left out."""
    return [f"{', '.join(sorted(set(names)))[:300]} left out: {VIRTUAL}"] if names else []


def lock_categories(root: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of all categories of a lockfile, ``main`` first."""
    found: set[str] = set()
    packages = root.get("package")
    for item in packages if isinstance(packages, list) else ():
        if isinstance(item, dict):
            found.update(_categories(item))
    return tuple(sorted(found, key=lambda name: (name != "main", name)))


def with_main(categories: Sequence[str]) -> tuple[str, ...]:
    """Return chosen categories with ``main``, on which the others are built; empty where none was chosen.

    >>> with_main(("docs",)), with_main(())
    (('main', 'docs'), ())
    """
    return tuple(dict.fromkeys(("main", *categories))) if categories else ()


def _categories(item: Mapping[str, Any]) -> list[str]:
    several = item.get("categories")
    if isinstance(several, list):
        return [str(name) for name in several if isinstance(name, str)] or ["main"]
    return [str(item.get("category") or "main")]


def _of_categories(entries: list[LockfileEntry], chosen: Sequence[str]) -> tuple[list[LockfileEntry], list[str]]:
    """Return the entries of some categories, each package once, and what is told of the others."""
    kept: dict[tuple[str, ...], LockfileEntry] = {}
    others: dict[tuple[str, ...], list[str]] = {}
    for entry in entries:
        names = entry.pop("categories")
        key = tuple(map(str, (entry["platform"], entry["manager"], entry["name"], entry["url"])))
        if any(name in chosen for name in names):
            kept.setdefault(key, {**entry, "category": "main"})
        else:
            others.setdefault(key, names)
    left = [names for key, names in others.items() if key not in kept]
    if not left:
        return list(kept.values()), []
    listed = ", ".join(sorted({name for names in left for name in names}))[:300]
    note = f"{counted(len(left), 'package')} of other categories left out: {listed}; they are chosen by category"
    return list(kept.values()), [note]


def only_categories(
    root: Mapping[str, Any], text: str, categories: Sequence[str]
) -> tuple[CondaLockfile, tuple[str, ...]]:
    """Return a lockfile that has the packages of ``main`` and some other categories only, all of them as ``main``.

    What is told of the others comes with it.

    Raises
    ------
    SpecificationError
        It has faults, or no such category.
    """
    specification, faults = read_lockfile(root, text, True, categories)
    if faults or specification.lockfile is None:
        raise SpecificationError(faults)
    return specification.lockfile, specification.notes


def converted_lock(
    name: str, packages: list[LockfileEntry], channels: Iterable[str], platforms: Sequence[str], **custom: str
) -> CondaLockfile:
    """Return what another tool locked as a lock in conda-lock's form; nothing was solved for it, so no hash of that.

    Parameters
    ----------
    name : str
        Of the environment.
    custom : str
        What else there is to say of it, for ``custom_metadata``.
    """
    metadata = {
        "content_hash": dict.fromkeys(platforms, "0" * 64),
        "channels": [{"url": url, "used_env_vars": []} for url in channels],
        "platforms": list(platforms),
        "sources": [],
        "custom_metadata": {"name": name, **custom},
    }
    return {"version": "1", "metadata": metadata, "package": packages}


def channels_of_files(packages: Iterable[LockfileEntry]) -> list[str]:
    """Return the channels that the files of conda packages lie in, each with its folder for a platform cut off."""
    return sorted({entry["url"].rsplit("/", 2)[0] for entry in packages if entry["manager"] == "conda"})


def lock_as_text(lock: CondaLockfile) -> str:
    """Return a lock as JSON, which is YAML too, with one line for each package."""
    metadata = json.dumps(lock["metadata"], ensure_ascii=False)
    packages = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in lock["package"])
    return f'{{"version": 1,\n"metadata": {metadata},\n"package": [\n{packages}\n]}}\n'


def starting_point(lock: CondaLockfile) -> str:
    """Return a specification to begin with in place of a lockfile: its channels, and what nothing else in it needs.

    Versions stay as they are, so that the first build of it differs little; packages of the first platform count.
    """
    metadata = lock["metadata"]
    platform = (metadata.get("platforms") or [""])[0]
    entries = [entry for entry in lock["package"] if entry["platform"] == platform]
    needed = {canonicalize_name(name) for entry in entries for name in entry.get("dependencies") or ()}
    kept = ("python", "ipykernel")
    tops = [entry for entry in entries if canonicalize_name(entry["name"]) not in needed or entry["name"] in kept]
    channels = [
        channel.get("url") if isinstance(channel, dict) else channel for channel in metadata.get("channels") or ()
    ]
    conda = [f"  - {entry['name']}={entry['version']}" for entry in tops if entry["manager"] == "conda"]
    pip = [f"      - {entry['name']}=={entry['version']}" for entry in tops if entry["manager"] == "pip"]
    lines = ["channels:", *(f"  - {json.dumps(channel)}" for channel in channels)] if channels else []
    needs_pip = bool(pip) and not any(entry["name"] == "pip" for entry in tops)
    custom = metadata.get("custom_metadata")
    variables = _variables(custom if isinstance(custom, dict) else {}, {}, [])
    lines += ["dependencies:", *conda, *(["  - pip"] if needs_pip else []), *(["  - pip:", *pip] if pip else [])]
    if variables:
        lines += ["variables:", *(f"  {key}: {json.dumps(value)}" for key, value in sorted(variables.items()))]
    return "\n".join(lines) + "\n"


def _variables(custom: Any, metadata: Mapping[str, Any], faults: list[Fault]) -> dict[str, str]:
    try:
        found = json.loads(custom.get("variables") or "{}")
    except (AttributeError, TypeError, ValueError):
        return {}
    variables = {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
    for key, value in variables.items():
        try:
            check_variable(key, value)
        except ValueError as error:
            line = _line(metadata, "custom_metadata")
            faults.append(Fault(str(error), line, "metadata.custom_metadata.variables"))
    return variables


def _entry(item: object, place: int, allow_local_files: bool, faults: list[Fault]) -> LockfileEntry | None:
    field = f"package[{place}]"
    if not isinstance(item, dict):
        faults.append(Fault("must be a mapping", getattr(item, "line", None), field))
        return None

    def fault(message: str, key: str = "") -> None:
        line = _line(item, key) or getattr(item, "line", None)
        faults.append(Fault(masked(message), line, f"{field}.{key}" if key else field))

    before = len(faults)
    for key in item.keys() - ENTRY_KEYS:
        fault(f"unknown key {key!r}", key)
    for key in REQUIRED:
        if not item.get(key):
            fault(f"{key!r} is missing")
    if len(faults) > before:
        return None
    entry: LockfileEntry = plain(item) if isinstance(item, Table) else cast("LockfileEntry", dict(item))
    entry["categories"] = _categories(item)
    if entry["manager"] not in ("conda", "pip"):
        fault(f"manager {entry['manager']!r} is not known: conda or pip", "manager")
    _check_hashes(entry, fault)
    _check_url(entry, allow_local_files, fault)
    return entry


class TellFault(Protocol):
    """Notes a fault of a package, at one of its keys."""

    def __call__(self, message: str, key: str = "") -> None: ...


def _check_hashes(entry: LockfileEntry, fault: TellFault) -> None:
    """Keep the hashes that there are: conda-lock writes ``null`` or nothing for one that it does not know."""
    said: object = entry["hash"]
    if not isinstance(said, dict):
        fault("must hold sha256 or md5", "hash")
        return
    hashes = entry["hash"] = cast("Hashes", {kind: digest for kind, digest in said.items() if digest not in (None, "")})
    if is_repository(entry):
        return
    if not hashes:
        fault(f"{entry['name']} has no hash, so it could be anything; lock it again with conda-lock", "hash")
    for kind, digest in hashes.items():
        if kind not in HASHES or not HASHES[kind].fullmatch(str(digest)):
            fault(f"{kind} {str(digest)[:70]!r} is not a hash", "hash")
    if hashes and entry["manager"] == "pip" and "sha256" not in hashes:
        fault("a pip package needs a sha256", "hash")


def is_repository(entry: LockfileEntry) -> bool:
    """Whether a locked package is a repository of version control."""
    return entry["manager"] == "pip" and str(entry["url"]).startswith(("git+", "hg+", "svn+", "bzr+"))


def _check_url(entry: LockfileEntry, allow_local_files: bool, fault: TellFault) -> None:
    url = str(entry["url"])
    if is_repository(entry):
        try:
            entry["url"] = check_repository(url, allow_local_files)
        except ValueError as error:
            fault(f"{entry['name']}: {error}", "url")
        else:
            entry["hash"] = {"sha256": entry["url"].partition("#")[0].rpartition("@")[2]}
        return
    try:
        check_url(url, "package address", allow_local_files)
    except ValueError as error:
        fault(str(error), "url")
        return
    file = file_of(url)
    if entry["manager"] == "pip":
        return
    if not file.endswith((".conda", ".tar.bz2")):
        fault(f"{file!r} is not a conda package (.conda or .tar.bz2)", "url")
    elif not file.startswith(f"{entry['name']}-{entry['version']}-"):
        fault(f"the address ends in {file!r}, which is not {entry['name']} {entry['version']}", "url")


def plain(value: object) -> Any:
    """Return ``value`` as JSON would hold it; what is plain already stays."""
    if isinstance(value, Table):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Items):
        return [plain(item) for item in value]
    if isinstance(value, Text):
        if value.kind == "bool":
            return value.lower() in ("true", "yes", "on")
        return str(value)
    return value
