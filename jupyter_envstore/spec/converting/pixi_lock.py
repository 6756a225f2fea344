"""``pixi.lock``, versions 4 to 7 (rattler's format): one environment of it as a lock in conda-lock's form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, quote

from packaging.utils import parse_sdist_filename, parse_wheel_filename

from jupyter_envstore.errors import Fault, SpecificationError
from jupyter_envstore.spec.addresses import file_of
from jupyter_envstore.spec.converting.draft import ChoiceError, Offer, Pick, Repacked
from jupyter_envstore.spec.document import Table
from jupyter_envstore.spec.lock_entries import Hashes, HashKind, LockfileEntry
from jupyter_envstore.spec.locks import VIRTUAL, converted_lock, lock_as_text
from jupyter_envstore.spec.text_editor import Change
from jupyter_envstore.spec.wording import counted

VERSIONS = ("4", "5", "6", "7")
CONDA_FILE = re.compile(r"(?P<name>.+)-(?P<version>[^-]+)-(?P<build>[^-]+)\.(?:conda|tar\.bz2)")
COMMIT = re.compile(r"[0-9a-f]{40}")


def is_pixi_lock(root: dict[str, Any]) -> bool:
    """Whether a document is a ``pixi.lock``."""
    return "environments" in root and "packages" in root


def read_pixi_lock(root: dict[str, Any], pick: Pick, name: str) -> Repacked:
    """Return one environment of a ``pixi.lock`` as a lock.

    Raises
    ------
    SpecificationError
        Its version or the environment is not known, or a package cannot be named.
    """
    version = str(root.get("version"))
    if version not in VERSIONS:
        msg = f"pixi.lock version {version[:20]} is not known; known: {', '.join(VERSIONS)}. Renew it with: pixi lock"
        line = root.lines.get("version") if isinstance(root, Table) else None
        raise SpecificationError([Fault(msg, line, "version")])
    environments = root["environments"]
    if not isinstance(environments, dict) or not environments:
        msg = "the lock has no environments"
        raise SpecificationError(msg)
    names = tuple(sorted(environments, key=lambda key: (key != "default", key)))
    wanted = pick.environment or names[0]
    environment = environments.get(wanted)
    if not isinstance(environment, dict):
        msg = f"the lock has no environment {wanted[:60]!r}"
        raise ChoiceError(msg, Offer(environments=names))
    told = [Change(f"pixi.lock read as a lockfile, environment {wanted}", "exact: nothing is solved")]
    if len(names) > 1:
        others = ", ".join(other for other in names if other != wanted)
        told.append(Change(f"environment {wanted} of {len(names)} taken", f"others: {others[:300]}"))
    reader = _Reader(root, told)
    platforms = environment.get("packages")
    packages = [
        entry
        for platform, entries in (platforms.items() if isinstance(platforms, dict) else ())
        for entry in reader.entries(reader.subdir(platform), entries)
    ]
    reader.finish()
    offer = Offer(environments=names, environment=wanted) if len(names) > 1 else Offer()
    if not packages:
        raise ChoiceError(_nothing(wanted, reader), offer)
    found = sorted({entry["platform"] for entry in packages})
    lock = converted_lock(name, packages, _channels(environment.get("channels")), found)
    return Repacked(lock_as_text(lock), told, offer=offer, lock=lock)


def _nothing(wanted: str, reader: _Reader) -> str:
    """Return what is wrong with an environment that has no packages to install."""
    msg = f"the environment {wanted} of the lock has no packages"
    if reader.left:
        msg += f" that can be installed elsewhere: sources are built where they lie ({', '.join(reader.left)[:300]})"
    return msg


def _channels(channels: object) -> list[str]:
    found = []
    for channel in channels if isinstance(channels, list) else ():
        url = channel.get("url") if isinstance(channel, dict) else channel
        found += [str(url).rstrip("/")] if isinstance(url, str) else []
    return found


class _Reader:
    """Reads entries by the records that they point to."""

    def __init__(self, root: dict[str, Any], told: list[Change]) -> None:
        self.told = told
        self.left: dict[str, None] = {}
        self.virtual: dict[str, None] = {}
        self.records: dict[str, dict[str, Any]] = {}
        packages = root.get("packages")
        for record in packages if isinstance(packages, list) else ():
            if isinstance(record, dict):
                place = record.get("conda") or record.get("pypi") or record.get("url") or record.get("path")
                if isinstance(place, str):
                    self.records.setdefault(str(place), record)
        self.subdirs: dict[str, str] = {}
        listed = root.get("platforms")
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, dict) and isinstance(item.get("subdir"), str):
                self.subdirs[str(item.get("name"))] = str(item["subdir"])

    def subdir(self, platform: str) -> str:
        return self.subdirs.get(platform, platform)

    def entries(self, platform: str, entries: object) -> Iterable[LockfileEntry]:
        for entry in entries if isinstance(entries, list) else ():
            if not isinstance(entry, dict):
                continue
            url, is_pypi = entry.get("conda"), False
            if not isinstance(url, str):
                url, is_pypi = entry.get("pypi"), True
            if not isinstance(url, str):
                self.left[str(next(iter(entry.values()), ""))] = None
                continue
            record = self.records.get(str(url), {})
            found = self._pypi(str(url), record, platform) if is_pypi else self._conda(str(url), record, platform)
            if found is not None:
                yield found

    def finish(self) -> None:
        """Tell what was left out."""
        if self.virtual:
            self.told.append(Change(f"{', '.join(self.virtual)[:300]} left out", VIRTUAL))
        if self.left:
            listed = ", ".join(self.left)[:300]
            why = "sources are built where they lie; put the package into a channel, or name a release"
            self.told.append(Change(f"{counted(len(self.left), 'package')} left out: {listed}", why))

    def _conda(self, url: str, record: dict[str, Any], platform: str) -> LockfileEntry | None:
        file = file_of(url)
        parts = CONDA_FILE.fullmatch(file)
        if parts is None or "://" not in url:
            self.left[url] = None
            return None
        hashes = self._hashes(record, ("md5", "sha256"))
        if not hashes and not parts["name"].startswith("__"):
            msg = f"{file} has no hash in the lock, so it could be anything; renew it with: pixi lock"
            raise SpecificationError([Fault(msg, getattr(record, "line", None) or None)])
        if parts["name"].startswith("__"):
            self.virtual[parts["name"]] = None
            return None
        depends = record.get("depends")
        pairs = [str(item).partition(" ") for item in (depends if isinstance(depends, list) else ())]
        return {
            "name": parts["name"],
            "version": parts["version"],
            "manager": "conda",
            "platform": platform,
            "dependencies": {name: bounds.strip() for name, _, bounds in pairs},
            "url": url,
            "hash": hashes,
            "category": "main",
            "optional": False,
        }

    def _pypi(self, url: str, record: dict[str, Any], platform: str) -> LockfileEntry | None:
        is_git = url.startswith("git+")
        if not is_git and not url.startswith(("http://", "https://")):
            self.left[str(record.get("name") or url)] = None
            return None
        address, _, fragment = url.partition("#")
        hashes = self._hashes(record, ("sha256",))
        if is_git:
            commit = fragment.rpartition("#")[2] or address.rpartition("@")[2]
            plain = address.split("?")[0]
            if not COMMIT.fullmatch(commit):
                self.left[url] = None
                return None
            url = plain if plain.endswith(commit) else f"{plain}@{commit}"
            folder = parse_qs(address.partition("?")[2]).get("subdirectory", [""])[0]  # as uv writes it
            url += f"#subdirectory={quote(folder)}" if folder else ""
            hashes = {"sha256": commit}
        elif not hashes and fragment.startswith("sha256="):
            hashes = {"sha256": fragment.removeprefix("sha256=")}
        file = file_of(address)
        name, version = str(record.get("name") or ""), str(record.get("version") or "")
        try:
            if not is_git and not (name and version):
                parsed = parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
                name, version = name or str(parsed[0]), version or str(parsed[1])
        except ValueError:
            self.left[url] = None
            return None
        requires = record.get("requires_dist")
        needs = [
            re.split(r"[ \[(<>=!~;@]", str(item), maxsplit=1)[0]
            for item in (requires if isinstance(requires, list) else ())
            if "extra ==" not in str(item)
        ]
        return {
            "name": name,
            "version": version or "0",
            "manager": "pip",
            "platform": platform,
            "dependencies": dict.fromkeys(needs, "*"),
            "url": url if is_git else address,
            "hash": hashes,
            "category": "main",
            "optional": False,
        }

    @staticmethod
    def _hashes(record: dict[str, Any], kinds: tuple[HashKind, ...]) -> Hashes:
        found: Hashes = {}
        for kind in kinds:
            if isinstance(record.get(kind), str):
                found[kind] = str(record[kind])
        return found
