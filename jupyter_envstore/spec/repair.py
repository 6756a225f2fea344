"""Repair what real environment files stumble over: an answer with the repaired text and the list of changes."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_envstore.errors import InvalidInputError, SpecificationError
from jupyter_envstore.spec.convert import explicit_to_lock, pixi_to_yaml, requirements_to_yaml
from jupyter_envstore.spec.document import Items, Table, Text, decode, read_yaml
from jupyter_envstore.spec.names import check_name, suggest_name

# Packages that exist on one kind of system only: who lists them exported the file there.
ONLY_ON = {
    "win": {
        *(
            "vc",
            "vc14_runtime",
            "vs2015_runtime",
            "ucrt",
            "pywin32",
            "wincertstore",
            "win_inet_pton",
            "pywinpty",
            "winpty",
        ),
        *("m2w64-gcc-libs", "m2w64-gcc-libgfortran", "m2w64-gcc-libs-core", "m2w64-gmp", "m2w64-libwinpthread-git"),
        *("msys2-conda-epoch", "console_shortcut", "menuinst", "icc_rt"),
    },
    "osx": {"appnope", "libcxx", "llvm-openmp", "pyobjc-core", "pyobjc-framework-cocoa"},
    "linux": {
        *("_libgcc_mutex", "_openmp_mutex", "ld_impl_linux-64", "libgcc-ng", "libstdcxx-ng", "libgomp", "libgcc"),
        *("libstdcxx", "secretstorage", "jeepney"),
    },
}
KERNELS = re.compile(
    r"^(ipykernel|xeus.*|r-irkernel|ansible-kernel|bash_kernel|octave_kernel|ipython|jupyter|jupyterlab|notebook)$"
)


@dataclass(frozen=True)
class Change:
    """One thing that was changed, and why."""

    what: str
    why: str


@dataclass
class Repaired:
    """The text after all changes; ``kind`` is ``environment`` or ``lockfile``."""

    text: str
    kind: str = "environment"
    changes: list[Change] = field(default_factory=list)


def repair(
    data: bytes | str,
    file_name: str = "environment.yml",
    defaults: str = "conda-forge",
    platform: str | None = None,
) -> Repaired:
    """Read a file of any accepted kind and return it as a specification that can be built.

    Parameters
    ----------
    data : bytes or str
        ``environment.yml``, ``conda-lock.yml``, ``requirements.txt``, an ``@EXPLICIT`` list or ``pixi.toml``.
    file_name : str
        What it was called; for its kind, and for a name where it has none.
    defaults : str
        What the channel ``defaults`` becomes.
    platform : str or None
        Where it shall be built, for example ``linux-64``; None for this machine.

    Raises
    ------
    SpecificationError
        It is none of these.
    """
    text = decode(data, file_name)
    name = suggest_name(re.sub(r"\.(ya?ml|txt|toml|lock)$", "", Path(file_name).name))
    if re.search(r"^@EXPLICIT\s*$", text, re.MULTILINE):
        return Repaired(explicit_to_lock(text, name), "lockfile", [Change("explicit list read as a lockfile", "exact")])
    if file_name.endswith(".toml"):
        converted, notes = pixi_to_yaml(text, name)
        return _with_notes(converted, notes, defaults, platform)
    if re.search(r"require.*\.(txt|in)$", file_name) or file_name.endswith(".txt"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return _with_notes(
            requirements_to_yaml(text, name, version),
            ["requirements.txt read as PyPI packages", f"python={version} added"],
            defaults,
            platform,
        )
    return _repair_yaml(text, name, defaults, platform)


def _with_notes(text: str, notes: list[str], defaults: str, platform: str | None) -> Repaired:
    repaired = _repair_yaml(text, "environment", defaults, platform)
    repaired.changes[:0] = [Change(note, "converted") for note in notes]
    return repaired


def _repair_yaml(text: str, name: str, defaults: str, platform: str | None) -> Repaired:
    root = read_yaml(text).root
    if not isinstance(root, Table):
        msg = "an environment file is a mapping with at least: dependencies: [python]"
        raise SpecificationError(msg)
    if "package" in root and "metadata" in root:
        return Repaired(text, "lockfile")
    editor = _Editor(text, root)
    _repair_name(editor, name)
    origin = _origin(root)
    if "prefix" in root:
        editor.drop_key("prefix", "the path of another machine's environment")
    _repair_channels(editor, defaults)
    _repair_dependencies(editor, origin, _system(platform))
    return Repaired(editor.result(), "environment", editor.changes)


class _Editor:
    """Changes single lines, so that comments and order live."""

    def __init__(self, text: str, root: Table) -> None:
        self.lines: list[str | None] = list(text.splitlines())
        self.root = root
        self.changes: list[Change] = []

    def changed(self, what: str, why: str) -> None:
        self.changes.append(Change(what, why))

    def drop(self, line: int) -> None:
        self.lines[line - 1] = None

    def drop_key(self, key: str, why: str) -> None:
        self.drop(self.root.lines[key])
        self.changed(f"{key} dropped", why)

    def replace(self, item: Text, new: str) -> None:
        line = self.lines[item.line - 1]
        if line is not None:
            self.lines[item.line - 1] = line.replace(str(item), new, 1)

    def insert_after(self, line: int, text: str) -> None:
        kept = self.lines[line - 1]
        self.lines[line - 1] = text if kept is None else f"{kept}\n{text}"

    def result(self) -> str:
        return "\n".join(line for line in self.lines if line is not None) + "\n"


def _repair_name(editor: _Editor, fallback: str) -> None:
    value = editor.root.get("name")
    if value is None:
        if "name" in editor.root:
            editor.drop(editor.root.lines["name"])
        editor.lines.insert(0, f"name: {fallback}")
        _shift(editor.root)
        editor.changed(f"name {fallback} added", "the file has none")
        return
    try:
        check_name("environment", str(value))
    except InvalidInputError:
        name = suggest_name(str(value), fallback)
        editor.lines[editor.root.lines["name"] - 1] = f"name: {name}"
        editor.changed(f"name {str(value)!r} became {name}", "a name has letters, digits and _ . + - only")


def _shift(value: Any) -> None:
    """Move the lines of all that was read down by one."""
    if isinstance(value, Table):
        value.line += 1
        value.lines = {key: line + 1 for key, line in value.lines.items()}
        for item in value.values():
            _shift(item)
    elif isinstance(value, Items):
        value.line += 1
        for item in value:
            _shift(item)
    elif isinstance(value, Text):
        value.line += 1


def _repair_channels(editor: _Editor, defaults: str) -> None:
    channels = editor.root.get("channels")
    if not isinstance(channels, Items):
        return
    names = [str(channel) for channel in channels]
    for channel in channels:
        if not isinstance(channel, Text) or channel not in ("defaults", "nodefaults"):
            continue
        if channel == "nodefaults":
            why = "there are no default channels here to keep out"
            _drop_item(editor, channels, channel)
            editor.changed("channel nodefaults dropped", why)
        elif defaults in names:
            _drop_item(editor, channels, channel)
            editor.changed(
                "channel defaults dropped",
                f"{defaults} is listed; defaults needs a licence for most companies",
            )
        else:
            editor.replace(channel, defaults)
            names.append(defaults)
            editor.changed(f"channel defaults became {defaults}", "defaults needs a licence for most companies")


def _drop_item(editor: _Editor, items: Items, item: Text) -> None:
    line = editor.lines[item.line - 1] or ""
    if re.fullmatch(rf"\s*-\s*['\"]?{re.escape(item)}['\"]?\s*(#.*)?", line):
        editor.drop(item.line)
        return
    flow = re.sub(
        rf"['\"]?\b{re.escape(item)}\b['\"]?\s*,\s*|,?\s*['\"]?\b{re.escape(item)}\b['\"]?", "", line, count=1
    )
    editor.lines[item.line - 1] = flow


def _origin(root: Table) -> str | None:
    """Return the system that a full export came from: from its prefix, or from packages that only that one has."""
    prefix = str(root.get("prefix") or "")
    if re.match(r"[A-Za-z]:\\", prefix):
        return "win"
    if prefix.startswith(("/Users/", "/opt/homebrew", "/usr/local/Caskroom")):
        return "osx"
    names = {name for _, name, _ in _conda_items(root)}
    counts = {system: len(names & only) for system, only in ONLY_ON.items()}
    best = max(counts, key=lambda system: counts[system])
    return best if counts[best] else None


def _conda_items(root: Table) -> list[tuple[Text, str, str]]:
    """Return each plain dependency with its name and build string (empty without one)."""
    found = []
    dependencies = root.get("dependencies")
    for item in dependencies if isinstance(dependencies, Items) else []:
        if isinstance(item, Text):
            parts = re.fullmatch(r"(?:\S+::)?([A-Za-z0-9_.-]+)=+[^=\s]+=([^=\s]+)", item.strip())
            name = re.match(r"(?:\S+::)?([A-Za-z0-9_.-]+)", item.strip())
            found.append((item, name.group(1).lower() if name else "", parts.group(2) if parts else ""))
    return found


def _repair_dependencies(editor: _Editor, origin: str | None, here: str) -> None:
    items = _conda_items(editor.root)
    foreign = origin is not None and origin != here
    stripped, gone = 0, []
    for item, name, build in items:
        if foreign and name in ONLY_ON[origin or here] and name not in ONLY_ON[here]:
            _drop_item(editor, Items(), item)
            gone.append(name)
        elif foreign and build:
            editor.replace(item, str(item).rsplit("=", 1)[0])
            stripped += 1
    system = {"win": "Windows", "osx": "macOS", "linux": "Linux"}.get(origin or "", "")
    if stripped:
        editor.changed(f"{stripped} build strings removed", f"the file was written on {system}")
    if gone:
        editor.changed(f"{', '.join(gone)} dropped", f"only on {system}")
    names = {name for _, name, _ in items}
    dependencies = editor.root.get("dependencies")
    if "python" in names and not any(KERNELS.match(name) for name in names) and isinstance(dependencies, Items):
        first = next(item for item, name, _ in items if name == "python")
        line = (editor.lines[first.line - 1] or "").split("\n")[0]
        block = re.match(r"(\s*-\s*)", line)
        if "[" in line:
            quoted = re.search(rf"['\"]?{re.escape(first)}['\"]?", line)
            editor.lines[first.line - 1] = (
                line.replace(quoted.group(), f"{quoted.group()}, ipykernel", 1) if quoted else line
            )
        elif block:
            editor.insert_after(first.line, f"{block.group(1)}ipykernel")
        editor.changed("ipykernel added", "without it there is no kernel")


def _system(platform: str | None) -> str:
    if platform:
        return platform.split("-")[0]
    return {"darwin": "osx", "win32": "win"}.get(sys.platform, "linux")
