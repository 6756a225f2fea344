"""Build records that come from elsewhere, checked before anything is done with them.

A record of this store was written by a build. One from a notebook or a registry was written by anybody: all of it is
data, and what does not have the form of a record is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jupyter_envstore.engine.record import FORMAT, BuildRecord
from jupyter_envstore.errors import Fault, InvalidInputError, SpecificationError
from jupyter_envstore.spec.addresses import check_url, file_of, masked
from jupyter_envstore.spec.match_specs import check_channel
from jupyter_envstore.spec.names import check_name
from jupyter_envstore.spec.selectors import PLATFORMS
from jupyter_envstore.spec.sources import check_repository
from jupyter_envstore.spec.specification import PRIORITIES, check_variable

MAX_BYTES = 64 * 1024 * 1024
"""Of the JSON of a record that is read; 20,000 packages have some 30 MB."""
MAX_PACKAGES = 20_000
"""Of one platform."""
MAX_FAULTS = 10
MAX_DEPTH = 12
"""Of a record's values; an entry of a package lies at depth 5."""
SURROGATE = re.compile("[\ud800-\udfff]")
PACKAGE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
PART = re.compile(r"[A-Za-z0-9_.+!~-]{1,128}")
"""A version or build of a package: they become part of names of files."""
FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+!~%-]{0,254}")
HASHES = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}
FOLDER = re.compile(r"/[^\x00-\x1f\x7f]*")
"""A folder with wheels, as ``--find-links`` takes it where local files are allowed."""
COMMIT = re.compile(r"[0-9a-f]{40}")
OPTIONAL = ("channel_priority",)
KEYS = (
    "name", "channels", "platforms", "description", "variables", "requested_conda", "requested_pip", "pip_options",
    "failed_platforms", "tools", "format",
)  # fmt: skip
LOCK_KEYS = ("conda", "pip", "virtual_packages")
PIP_KEYS = ("name", "version", "filename", "url", "sha256", "size", "index", "dependencies")
PIP_OPTION_KEYS = ("index_url", "extra_index_urls", "find_links")
WHEEL_KEYS = ("filename", "sha256", "size")


def read_foreign_record(data: bytes, allow_local_files: bool) -> BuildRecord:
    """Return a build record that somebody sent.

    Parameters
    ----------
    data : bytes
        What :meth:`~jupyter_envstore.engine.record.BuildRecord.to_bytes` gave: other bytes would have another hash.
    allow_local_files : bool
        Whether addresses may be local files.

    Raises
    ------
    SpecificationError
        It is no record, or none that this version reads; up to ten faults are named.
    """
    if len(data) > MAX_BYTES:
        msg = f"the build record has {len(data)} bytes; at most {MAX_BYTES} are read"
        raise SpecificationError(msg)
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        msg = "the build record is not JSON; it was damaged"
        raise SpecificationError(msg) from None
    if not _is_plain(raw):
        msg = f"the build record has a value that no build writes: nested more than {MAX_DEPTH} deep, or not Unicode"
        raise SpecificationError(msg)
    if not isinstance(raw, dict) or "format" not in raw:
        msg = "this is no build record: a record is a mapping with a format"
        raise SpecificationError(msg)
    if raw["format"] != FORMAT:
        shown = str(raw.get("format"))[:20]
        msg = f"the build record has format {shown}; this version reads {FORMAT}: update jupyter-envstore"
        raise SpecificationError(msg)
    reader = _Reader(allow_local_files)
    reader.read(raw)
    if reader.faults:
        raise SpecificationError([Fault(f"build record: {fault}") for fault in reader.faults[:MAX_FAULTS]])
    record = BuildRecord.from_bytes(data)
    if record.to_bytes() != data:
        msg = "the build record is not written as one: keys are in another order, or a value is written otherwise"
        raise SpecificationError(msg)
    return record


def _is_plain(value: object) -> bool:
    """Whether a value from JSON can be written as UTF-8, and is not nested deeply."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[object] = []
        for item in level:
            if isinstance(item, str) and not item.isascii() and SURROGATE.search(item):
                return False
            if isinstance(item, dict):
                inner += (*item, *item.values())
            elif isinstance(item, list):
                inner += item
        level = inner
    return not level


def _environment_name(name: str) -> None:
    try:
        check_name("environment", name)
    except InvalidInputError as error:
        raise ValueError(str(error)) from None


class _Reader:
    """Looks at each value of a record; ``faults`` are what is wrong."""

    def __init__(self, allow_local_files: bool) -> None:
        self.allow_local_files = allow_local_files
        self.faults: list[str] = []

    def read(self, value: object) -> None:
        """Look at a whole record."""
        raw = self._mapping(value, "it", KEYS, OPTIONAL)
        if raw is None:
            return
        for key in ("name", "description"):
            self._text(raw[key], key)
        if isinstance(raw["name"], str):
            self._try("name", _environment_name, raw["name"])
        for key in ("channels", "requested_conda", "requested_pip"):
            for place, item in enumerate(self._list(raw[key], key)):
                self._text(item, f"{key}[{place}]")
                if key == "channels" and isinstance(item, str):
                    self._try(key, check_channel, item, self.allow_local_files)
        for key in ("variables", "failed_platforms", "tools"):
            for name, value in self._texts(raw[key], key).items():
                if key == "variables":
                    self._try(key, check_variable, name, value)
        if raw.get("channel_priority", "") not in ("", *PRIORITIES):
            self.fault("channel_priority", f"must be one of {', '.join(PRIORITIES)}")
        self._pip_options(raw["pip_options"])
        platforms = raw["platforms"]
        if not isinstance(platforms, dict) or not platforms:
            self.fault("platforms", "must be a mapping of platforms to their packages")
            return
        for platform, lock in platforms.items():
            self._lock(lock, platform)

    def fault(self, field: str, what: str) -> None:
        """Note what is wrong, without passwords."""
        self.faults.append(masked(f"{field}: {what}")[:400])

    def _lock(self, value: object, platform: str) -> None:
        field = f"platforms.{platform[:40]}"
        if platform not in PLATFORMS:
            self.fault(field, "is no platform that is known")
            return
        lock = self._mapping(value, field, LOCK_KEYS, ("installer_extras",))
        if lock is None:
            return
        for key in ("conda", "installer_extras"):
            seen: set[str] = set()
            for place, entry in enumerate(self._list(lock.get(key, []), f"{field}.{key}")):
                self._conda(entry, f"{field}.{key}[{place}]", platform, seen)
        for place, package in enumerate(self._list(lock["pip"], f"{field}.pip")):
            self._pip(package, f"{field}.pip[{place}]")
        for place, item in enumerate(self._list(lock["virtual_packages"], f"{field}.virtual_packages")):
            self._text(item, f"{field}.virtual_packages[{place}]")

    def _conda(self, entry: object, field: str, platform: str, seen: set[str]) -> None:
        """Look at a conda package: its address, file, channel and folder must tell the same."""
        if len(self.faults) > MAX_FAULTS:
            return
        if not isinstance(entry, dict):
            self.fault(field, "must be a mapping")
            return
        texts = {key: entry.get(key) for key in ("name", "version", "build", "subdir", "fn", "url", "channel")}
        wrong = [key for key, value in texts.items() if not isinstance(value, str)]
        if wrong:
            self.fault(field, f"{wrong[0]} must be text")
            return
        name, version, build, subdir, fn, url, channel = (str(value) for value in texts.values())
        field = f"{field} ({name[:60]})"
        for key, text, pattern in (("name", name, PACKAGE_NAME), ("version", version, PART), ("build", build, PART)):
            if not pattern.fullmatch(text):
                self.fault(field, f"{key} {text[:80]!r} is none of a conda package")
        if subdir not in (platform, "noarch"):
            self.fault(field, f"subdir {subdir[:40]!r} is not that of {platform}")
        if not self._try(field, check_url, url, "package address", self.allow_local_files):
            return
        if fn not in (f"{name}-{version}-{build}{ending}" for ending in (".conda", ".tar.bz2")):
            self.fault(field, f"fn {fn[:120]!r} is not the file of {name} {version} {build}")
        elif file_of(url) != fn:
            self.fault(field, f"the address ends in {file_of(url)[:120]!r}, not in {fn}")
        elif url.rpartition("/")[0] != f"{channel.rstrip('/')}/{subdir}":
            self.fault(field, "the address does not lie in the channel that is named")
        if name in seen:
            self.fault(field, "is there twice")
        seen.add(name)
        self._hashes(entry, field)
        for key in ("depends", "constrains"):
            for place, item in enumerate(self._list(entry.get(key, []), f"{field}.{key}")):
                self._text(item, f"{field}.{key}[{place}]")
        for key in ("license", "python_site_packages_path"):
            if entry.get(key) is not None:
                self._text(entry[key], f"{field}.{key}")
        for key in ("size", "timestamp", "build_number"):
            self._number(entry.get(key), f"{field}.{key}", entry.get(key) is None)
        if entry.get("noarch") not in (None, "python", "generic"):
            self.fault(field, "noarch must be python or generic")

    def _pip(self, value: object, field: str) -> None:
        package = self._mapping(value, field, PIP_KEYS, ("wheel",)) if len(self.faults) <= MAX_FAULTS else None
        if package is None:
            return
        for key in ("name", "version", "filename", "url", "sha256", "index"):
            if not self._text(package[key], f"{field}.{key}"):
                return
        name, url, digest = package["name"], package["url"], package["sha256"]
        field = f"{field} ({name[:60]})"
        if not PACKAGE_NAME.fullmatch(name):
            self.fault(field, "its name is none of a PyPI package")
        if not FILE.fullmatch(package["filename"]) and not url.startswith("git+"):
            self.fault(field, f"{package['filename'][:120]!r} is no name of a file")
        if url.startswith("git+"):
            self._try(field, check_repository, url, self.allow_local_files)
        else:
            self._try(field, check_url, url.split("#")[0], "package address", self.allow_local_files)
        if package["index"]:
            self._try(field, check_url, package["index"], "index", self.allow_local_files)
        if not (HASHES["sha256"].fullmatch(digest) or (url.startswith("git+") and COMMIT.fullmatch(digest))):
            self.fault(field, "sha256 is not a hash")
        self._number(package["size"], f"{field}.size")
        for place, item in enumerate(self._list(package["dependencies"], f"{field}.dependencies")):
            self._text(item, f"{field}.dependencies[{place}]")
        if "wheel" in package:
            self._wheel(package["wheel"], f"{field}.wheel")

    def _wheel(self, value: object, field: str) -> None:
        wheel = self._mapping(value, field, WHEEL_KEYS)
        if wheel is None:
            return
        if not (isinstance(wheel["filename"], str) and FILE.fullmatch(wheel["filename"])):
            self.fault(field, "filename is no name of a file")
        if not (isinstance(wheel["sha256"], str) and HASHES["sha256"].fullmatch(wheel["sha256"])):
            self.fault(field, "sha256 is not a hash")
        self._number(wheel["size"], f"{field}.size")

    def _pip_options(self, value: object) -> None:
        options = self._mapping(value, "pip_options", PIP_OPTION_KEYS)
        if options is None:
            return
        places = [options["index_url"]] if options["index_url"] is not None else []
        places += self._list(options["extra_index_urls"], "pip_options.extra_index_urls")
        for place in self._list(options["find_links"], "pip_options.find_links"):
            is_folder = isinstance(place, str) and FOLDER.fullmatch(place)
            places += [] if is_folder and self.allow_local_files else [place]
        for place in places:
            if self._text(place, "pip_options"):
                self._try("pip_options", check_url, place, "index", self.allow_local_files)

    def _hashes(self, entry: Mapping[str, object], field: str) -> None:
        known = {kind: entry.get(kind) for kind in HASHES if entry.get(kind) is not None}
        if not known:
            self.fault(field, "has no hash, so it could be anything")
        for kind, digest in known.items():
            if not isinstance(digest, str) or not HASHES[kind].fullmatch(digest):
                self.fault(field, f"{kind} is not a hash")

    def _mapping(
        self, value: object, field: str, keys: Collection[str], optional: Collection[str] = ()
    ) -> Mapping[str, Any] | None:
        """Return a mapping that has these keys; None, with its faults noted, for anything else."""
        if not isinstance(value, dict):
            self.fault(field, "must be a mapping")
            return None
        missing = sorted(set(keys) - value.keys())
        unknown = sorted(value.keys() - set(keys) - set(optional))
        if missing:
            self.fault(field, f"{missing[0]!r} is missing")
        if unknown:
            self.fault(field, f"{unknown[0][:60]!r} is not known")
        return None if missing or unknown else value

    def _text(self, value: object, field: str) -> bool:
        if isinstance(value, str) and "\0" not in value:
            return True
        self.fault(field, "must be text")
        return False

    def _texts(self, value: object, field: str) -> Mapping[str, str]:
        if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
            return value
        self.fault(field, "must be a mapping of texts")
        return {}

    def _list(self, value: object, field: str) -> list[Any]:
        if isinstance(value, list) and len(value) <= MAX_PACKAGES:
            return value
        self.fault(field, f"must be a list of at most {MAX_PACKAGES}")
        return []

    def _number(self, value: object, field: str, may_be_missing: bool = False) -> None:
        if not may_be_missing and (type(value) is not int or not 0 <= value < 2**53):
            self.fault(field, "must be a whole number")

    def _try(self, field: str, check: Callable[..., object], *arguments: object) -> bool:
        try:
            check(*arguments)
        except ValueError as error:
            self.fault(field, str(error))
            return False
        return True
