"""A bill of materials in CycloneDX's JSON (1.2 and later) as a lock in conda-lock's form, if it tells enough.

That is: of each conda and PyPI package the address of its file and a hash. Those that jupyter-envstore writes do; those
that scanners write of an image or a folder tell names and versions alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.addresses import file_of
from jupyter_envstore.spec.converting.draft import Repacked
from jupyter_envstore.spec.lock_entries import Hashes, LockfileEntry, Manager
from jupyter_envstore.spec.locks import channels_of_files, converted_lock, lock_as_text
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.sources import COMMIT
from jupyter_envstore.spec.text_editor import Change
from jupyter_envstore.spec.wording import counted

TYPES: Mapping[str, Manager] = {"conda": "conda", "pypi": "pip"}
"""The types of package URLs (purl-spec) that are read."""
PURL = re.compile(r"pkg:/*([a-z0-9.+-]+)/", re.IGNORECASE)
REFERENCES = ("distribution", "vcs")
FILES: Mapping[Manager, tuple[str, ...]] = {"conda": (".conda", ".tar.bz2"), "pip": (".whl", ".tar.gz", ".zip")}
"""How the names of packages' files end."""
PLATFORM_PROPERTY = "jupyter-envstore:platform"
TOO_LITTLE = (
    "an environment is read from a bill of materials only if each package has the address of its file and its SHA-256; "
    "a lockfile or a pinned environment.yml tells enough"
)


def is_sbom(root: Mapping[str, Any]) -> bool:
    """Whether a document is a bill of materials of CycloneDX."""
    return root.get("bomFormat") == "CycloneDX"


def read_sbom(root: Mapping[str, Any], name: str) -> Repacked:
    """Return the packages of a bill of materials as a lock.

    Raises
    ------
    SpecificationError
        It has no conda or PyPI packages, or tells too little of some.
    """
    components = list(_components(root.get("components")))
    needs = _needs(root.get("dependencies"), components)
    entries: list[LockfileEntry] = []
    unknown: list[str] = []
    left_out: list[Mapping[str, Any]] = []
    for component in components:
        manager = _manager(component)
        if manager is None:
            left_out.append(component)
            continue
        entry = _entry(component, manager, needs.get(str(component.get("bom-ref")), ()))
        if entry is None:
            unknown.append(f"{component.get('name')} {component.get('version') or ''}".strip()[:80])
        else:
            entries.append(entry)
    if unknown:
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        msg = f"the bill of materials has no address and hash of {', '.join(unknown[:5])}{more}; {TOO_LITTLE}"
        raise SpecificationError(msg)
    if not entries:
        msg = f"the bill of materials lists no conda and no PyPI packages; {TOO_LITTLE}"
        raise SpecificationError(msg)
    platform = _platform(root, entries)
    for entry in entries:
        entry["platform"] = platform
    lock = converted_lock(name, entries, channels_of_files(entries), [platform], description=_description(root))
    told = [Change("bill of materials read as a lockfile", "exact: nothing is solved")]
    if left_out:
        listed = ", ".join(str(component.get("name"))[:60] for component in left_out[:10])
        told.append(Change(f"{counted(len(left_out), 'component')} left out: {listed}", "no conda or PyPI packages"))
    return Repacked(lock_as_text(lock), told, lock=lock)


def _components(found: object) -> Iterable[Mapping[str, Any]]:
    """Yield the components, those within others too."""
    for component in found if isinstance(found, list) else ():
        if isinstance(component, dict):
            yield component
            yield from _components(component.get("components"))


def _manager(component: Mapping[str, Any]) -> Manager | None:
    found = PURL.match(str(component.get("purl") or ""))
    return TYPES.get(found[1].lower()) if found else None


def _entry(component: Mapping[str, Any], manager: Manager, needs: Iterable[str]) -> LockfileEntry | None:
    """Return a package; None where its address or its hash lacks."""
    url, kind, own = _address(component, FILES[manager])
    hashes = own or _hashes(component)
    if kind == "vcs" and manager == "pip":
        commit = url.partition("#")[0].rpartition("@")[2]
        hashes = {"sha256": commit} if url.startswith("git+") and COMMIT.fullmatch(commit) else {}
    elif manager == "pip":
        hashes = {"sha256": hashes["sha256"]} if "sha256" in hashes else {}
    name, version = component.get("name"), component.get("version")
    if not url or not hashes or not isinstance(name, str) or not isinstance(version, str):
        return None
    return {
        "name": name,
        "version": version,
        "manager": manager,
        "platform": "",
        "dependencies": dict.fromkeys(needs, "" if manager == "conda" else "*"),
        "url": url,
        "hash": hashes,
        "category": "main",
        "optional": False,
    }


def _address(component: Mapping[str, Any], endings: tuple[str, ...]) -> tuple[str, str, Hashes]:
    """Return where the file of a component is, the kind of that reference, and the hashes that it has."""
    listed = component.get("externalReferences")
    for reference in listed if isinstance(listed, list) else ():
        if isinstance(reference, dict) and reference.get("type") in REFERENCES:
            url = str(reference.get("url") or "")
            is_file = re.match(r"(https?|file)://", url) and file_of(url).endswith(endings)
            if is_file or url.startswith("git+"):
                return url, str(reference["type"]), _hashes(reference)
    return "", "", {}


def _hashes(holder: Mapping[str, Any]) -> Hashes:
    found: Hashes = {}
    listed = holder.get("hashes")
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("content"), str):
            if item.get("alg") == "SHA-256":
                found["sha256"] = item["content"].lower()
            elif item.get("alg") == "MD5":
                found["md5"] = item["content"].lower()
    return found


def _needs(found: object, components: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the names of what each component depends on, by its reference."""
    names = {str(component.get("bom-ref")): str(component.get("name")) for component in components}
    graph: dict[str, list[str]] = {}
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and isinstance(item.get("dependsOn"), list):
            graph[str(item.get("ref"))] = [names[str(ref)] for ref in item["dependsOn"] if str(ref) in names]
    return graph


def _platform(root: Mapping[str, Any], entries: Iterable[LockfileEntry]) -> str:
    """Return what the packages are for: by the folders of their channels, by our own property, or this machine.

    Raises
    ------
    SpecificationError
        They are of several platforms.
    """
    folders = {entry["url"].rsplit("/", 2)[-2] for entry in entries if entry["manager"] == "conda"} - {"noarch"}
    if len(folders) > 1:
        msg = f"the bill of materials has packages of several platforms: {', '.join(sorted(folders))[:200]}"
        raise SpecificationError([Fault(msg)])
    if folders:
        return folders.pop()
    metadata = root.get("metadata")
    listed = metadata.get("properties") if isinstance(metadata, dict) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and item.get("name") == PLATFORM_PROPERTY and isinstance(item.get("value"), str):
            return str(item["value"])
    return current_subdir()


def _description(root: Mapping[str, Any]) -> str:
    metadata = root.get("metadata")
    subject = metadata.get("component") if isinstance(metadata, dict) else None
    found = subject.get("description") if isinstance(subject, dict) else None
    return found if isinstance(found, str) else ""
