"""Repair what real environment files stumble over: an answer with the repaired text and the list of changes."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.spec.convert import (
    conda_list_to_yaml,
    explicit_to_lock,
    is_conda_list,
    pixi_to_yaml,
    requirements_to_yaml,
)
from jupyter_envstore.spec.document import Items, Table, Text, decode, is_lockfile, read_table
from jupyter_envstore.spec.editing import as_scalar, pip_name
from jupyter_envstore.spec.names import check_name, suggest_name
from jupyter_envstore.spec.places import line_end, line_start, next_line, with_comma

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
        *("msys2-conda-epoch", "console_shortcut", "menuinst", "icc_rt", "comtypes", "libwinpthread", "winpython"),
        *("m2-msys2-runtime", "m2-gcc-libs", "pythonnet", "pyreadline3"),
    },
    "osx": {"appnope", "libcxx", "llvm-openmp", "pyobjc-core", "pyobjc-framework-cocoa", "python.app"},
    "linux": {
        *("_libgcc_mutex", "_openmp_mutex", "ld_impl_linux-64", "libgcc-ng", "libstdcxx-ng", "libgomp", "libgcc"),
        *("libstdcxx", "secretstorage", "jeepney"),
    },
}
PIP_ONLY_ON = {
    "win": {"pywin32", "pywinpty", "comtypes", "pyreadline3"},
    "osx": {"appnope", "pyobjc-core"},
    "linux": set(),
}
ONE_MACHINE = re.compile(r"^\s*(-e\b|--editable\b)|@\s*file:|^\s*(\.{0,2}[/\\]|[A-Za-z]:[\\/])")
"""Lines for pip that point at a folder of the machine that the file was written on."""
KERNELS = re.compile(
    r"^(ipykernel|xeus.*|r-irkernel|ansible-kernel|bash_kernel|octave_kernel|ipython|jupyter|jupyterlab|notebook)$"
)


KEEPABLE = ("defaults", "builds", "foreign", "kernel")
"""Changes that one may want not to be made: the channel ``defaults`` stays, and build strings, and packages that only
another system has; ``ipykernel`` is left out."""


@dataclass(frozen=True)
class Change:
    """One thing that was changed, and why; ``choice`` names it in :data:`KEEPABLE` where it need not be."""

    what: str
    why: str
    choice: str = ""


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
    keep: Sequence[str] = (),
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
    keep : sequence of str
        Changes of :data:`KEEPABLE` that are not made.

    Raises
    ------
    SpecificationError
        It is none of these.
    """
    text = decode(data, file_name)
    name = suggest_name(re.sub(r"\.(ya?ml|txt|toml|lock|in)$", "", Path(file_name).name))
    if re.search(r"^@EXPLICIT\s*$", text, re.MULTILINE):
        here = platform or current_subdir()
        lock, notes = explicit_to_lock(text, name, here)
        told = [Change(note, "converted") for note in notes]
        return Repaired(lock, "lockfile", [Change("explicit list read as a lockfile", "exact"), *told])
    if is_conda_list(text):
        converted, notes = conda_list_to_yaml(text, name)
        return _with_notes(converted, notes, defaults, platform, keep)
    if file_name.endswith(".toml"):
        converted, notes = pixi_to_yaml(text, name)
        return _with_notes(converted, notes, defaults, platform, keep)
    if file_name.endswith((".txt", ".in")):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return _with_notes(
            requirements_to_yaml(text, name, version),
            ["requirements.txt read as PyPI packages", f"python={version} added"],
            defaults,
            platform,
            keep,
        )
    return _repair_yaml(text, name, defaults, platform, keep)


def current_subdir() -> str:
    """Return this machine's platform as conda names it."""
    import platform

    machine = platform.machine().lower()
    system = {"darwin": "osx", "win32": "win"}.get(sys.platform, "linux")
    arch = {"x86_64": "64", "amd64": "64", "arm64": "arm64" if system == "osx" else "aarch64"}.get(machine, machine)
    return f"{system}-{arch}"


def _with_notes(text: str, notes: list[str], defaults: str, platform: str | None, keep: Sequence[str]) -> Repaired:
    repaired = _repair_yaml(text, "environment", defaults, platform, keep)
    repaired.changes[:0] = [Change(note, "converted") for note in notes]
    return repaired


def _repair_yaml(text: str, name: str, defaults: str, platform: str | None, keep: Sequence[str]) -> Repaired:
    root = read_table(text)
    if is_lockfile(root):
        return Repaired(text, "lockfile")
    editor = _Editor(text, root, keep)
    _repair_name(editor, name)
    origin = _origin(root)
    if "prefix" in root:
        editor.drop_key(root, "prefix")
        editor.changed("prefix dropped", "the path of another machine's environment")
    _repair_channels(editor, defaults)
    _repair_dependencies(editor, origin, (platform or current_subdir()).split("-")[0])
    return Repaired(editor.result(), "environment", editor.changes)


class _Editor:
    """Gathers changes of places in a text, so that comments and order live; made all at once."""

    def __init__(self, text: str, root: Table, keep: Sequence[str]) -> None:
        self.text = text
        self.root = root
        self.keep = keep
        self.edits: list[tuple[int, int, str]] = []
        self.changes: list[Change] = []

    def changed(self, what: str, why: str, choice: str = "") -> None:
        self.changes.append(Change(what, why, choice))

    def replace(self, item: Text, new: str) -> None:
        start, end = item.span
        quote = self.text[start] if self.text[start] in "'\"" else ""
        self.edits.append((start, end, f"{quote}{new}{quote}" if quote and quote not in new else as_scalar(new, True)))

    def insert(self, place: int, text: str) -> None:
        self.edits.append((place, place, text))

    def drop_key(self, table: Table, key: str) -> None:
        self.drop(table.spans[key], table.flow)

    def drop_item(self, items: Items, item: Text) -> None:
        self.drop(item.span, items.flow)

    def drop(self, span: tuple[int, int], flow: bool) -> None:
        """Drop a part: in a flow list or mapping with its comma, else with its lines."""
        start, end = span
        if flow:
            taken = max((stop for _, stop, _ in self.edits if stop <= start), default=0)
            start, end = with_comma(self.text, start, end, taken)
        else:
            start = line_start(self.text, start)
            if not (end and self.text[end - 1] == "\n"):  # a block scalar ends behind its last line
                end = next_line(self.text, end)
        self.edits.append((start, end, ""))

    def result(self) -> str:
        text = self.text
        reached = len(text)
        for start, end, new in sorted(self.edits, key=lambda edit: (edit[0], edit[1]), reverse=True):
            stop = min(end, reached)
            text = text[:start] + new + text[max(stop, start) :]
            reached = start
        return text if text.endswith("\n") else f"{text}\n"


def _repair_name(editor: _Editor, fallback: str) -> None:
    root = editor.root
    value = root.get("name")
    if isinstance(value, Text):
        try:
            check_name("environment", str(value))
        except InvalidInputError:
            name = suggest_name(str(value), fallback)
            start, end = root.spans["name"]
            tail = "\n" if editor.text[end - 1] == "\n" else ""
            editor.edits.append((start, end, f"name: {name}{tail}"))
            editor.changed(f"name '{value}' became {name}", "a name has letters, digits and _ . + - only")
        return
    if "name" in root:
        editor.drop_key(root, "name")
    start = root.span[0] + (1 if root.flow else 0)
    editor.insert(start, f"name: {fallback}, " if root.flow else f"name: {fallback}\n")
    editor.changed(f"name {fallback} added", "the file has none")


def _repair_channels(editor: _Editor, defaults: str) -> None:
    channels = editor.root.get("channels")
    if not isinstance(channels, Items):
        return
    names = [str(channel) for channel in channels]
    for channel in channels:
        if not isinstance(channel, Text) or channel not in ("defaults", "nodefaults"):
            continue
        if channel == "nodefaults":
            editor.drop_item(channels, channel)
            editor.changed("channel nodefaults dropped", "there are no default channels here to keep out")
        elif "defaults" in editor.keep:
            continue
        elif defaults in names:
            editor.drop_item(channels, channel)
            editor.changed(
                "channel defaults dropped",
                f"{defaults} is listed; defaults stands for Anaconda's own, which need a licence for most companies",
                "defaults",
            )
        else:
            editor.replace(channel, defaults)
            names.append(defaults)
            why = "defaults stands for Anaconda's own channels, which need a licence for most companies"
            editor.changed(f"channel defaults became {defaults}", why, "defaults")


def _origin(root: Table) -> str | None:
    """Return the system that a full export came from: from its prefix, or from packages that only that one has."""
    prefix = str(root.get("prefix") or "")
    if re.match(r"[A-Za-z]:[\\/]", prefix):
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
    dependencies = editor.root.get("dependencies")
    if not isinstance(dependencies, Items):
        return
    foreign = origin is not None and origin != here
    stripped, gone = 0, []
    for item, name, build in items:
        if foreign and name in ONLY_ON[origin or here] and name not in ONLY_ON[here]:
            if "foreign" not in editor.keep:
                editor.drop_item(dependencies, item)
                gone.append(name)
        elif foreign and build and "builds" not in editor.keep:
            editor.replace(item, str(item).rsplit("=", 1)[0])
            stripped += 1
    system = {"win": "Windows", "osx": "macOS", "linux": "Linux"}.get(origin or "", "")
    if stripped:
        editor.changed(
            f"{stripped} build string{'s' if stripped > 1 else ''} removed",
            f"the file was written on {system}",
            "builds",
        )
    if gone:
        editor.changed(f"{', '.join(gone)} dropped", f"only on {system}", "foreign")
    _repair_pip(editor, dependencies, origin if foreign else None, system)
    names = {name for _, name, _ in items}
    if "kernel" not in editor.keep and "python" in names and not any(KERNELS.match(name) for name in names):
        first = next(item for item, name, _ in items if name == "python")
        start, end = first.span
        if dependencies.flow:
            editor.insert(end, ", ipykernel")
        else:
            line = line_start(editor.text, start)
            head = re.match(r"\s*-\s*", editor.text[line:])
            if head is None:  # '-' stands on a line of its own: leave the text alone
                return
            editor.insert(line_end(editor.text, end), f"\n{head.group()}ipykernel")
        editor.changed("ipykernel added", "without it there is no kernel", "kernel")


def _repair_pip(editor: _Editor, dependencies: Items, origin: str | None, system: str) -> None:
    """Drop lines for pip that only the machine of the file can follow."""
    table = next((item for item in dependencies if isinstance(item, Table) and "pip" in item), None)
    lines = table["pip"] if table is not None else None
    if table is None or not isinstance(lines, Items):
        return
    gone = []
    for line in lines:
        if not isinstance(line, Text):
            continue
        name = pip_name(line)
        if ONE_MACHINE.search(line):
            editor.changed(f"pip line '{str(line)[:80]}' dropped", "it points at a folder of another machine")
            gone.append(line)
        elif origin is not None and name in PIP_ONLY_ON[origin]:
            editor.changed(f"pip package {name} dropped", f"only on {system}")
            gone.append(line)
    if gone and len(gone) == len(lines):
        start, end = table.span
        if not dependencies.flow:
            end = max(line.span[1] for line in lines if isinstance(line, Text))
        editor.drop((start, end), dependencies.flow)
        return
    for line in gone:
        editor.drop_item(lines, line)
