"""Read a specification: ``environment.yml`` or ``conda-lock.yml``, every fault at once."""

from __future__ import annotations

import difflib
from dataclasses import replace

from jupyter_envstore.errors import Fault, InvalidInputError, SpecificationError
from jupyter_envstore.spec.addresses import masked
from jupyter_envstore.spec.conditions import condition_fault, notes
from jupyter_envstore.spec.converting.kinds import KIND_WORDS, Kind, kind_of
from jupyter_envstore.spec.document import Document, Items, Table, Text, Value, decode, is_lockfile, read_yaml
from jupyter_envstore.spec.fast_yaml import Plain, read_plain_lock
from jupyter_envstore.spec.lock_entries import CondaLockfile
from jupyter_envstore.spec.locks import read_lockfile
from jupyter_envstore.spec.match_specs import check_channel, check_match_spec
from jupyter_envstore.spec.names import check_name
from jupyter_envstore.spec.pip_lines import logical_lines, parse_pip_line
from jupyter_envstore.spec.selectors import PLATFORMS as KNOWN_PLATFORMS
from jupyter_envstore.spec.selectors import current_subdir
from jupyter_envstore.spec.specification import (
    PRIORITIES,
    PipOptions,
    Specification,
    check_requirement,
    check_variable,
)
from jupyter_envstore.spec.wording import IMPORT_IT, KEYS

__all__ = ["PLATFORMS", "check_channel", "check_match_spec", "read_specification"]

PLATFORMS = tuple(KNOWN_PLATFORMS)
MAX_ENTRIES = 5_000
MAX_LENGTH = 1_000


def read_specification(
    data: bytes | str,
    name: str = "the file",
    allow_local_files: bool = True,
    platform: str | None = None,
    held: dict[str, Plain] | CondaLockfile | Document | None = None,
    named: bool = False,
) -> Specification:
    """Read ``environment.yml`` or a conda-lock file.

    Parameters
    ----------
    data : bytes or str
        The file's content; at most 4 MB.
    name : str
        How to call it in messages.
    allow_local_files : bool
        Whether ``file://`` channels and local ``--find-links`` are allowed.
    platform : str or None
        Where it shall be built, for notes about conditions; None for this machine.
    held : dict, Document or None
        What the content holds, where it was read already, as :func:`~jupyter_envstore.spec.repair.repair` has it.
    named : bool
        Whether the environment is given another name: then the one in the file may be any text.

    Raises
    ------
    SpecificationError
        With every fault, each with its line and field.
    """
    text = decode(data, name)
    if isinstance(held, Document):
        return _read_document(held, text, _Reader(allow_local_files, named), platform)
    kind = kind_of(text, name) if held is None else Kind.YAML
    if kind is not Kind.YAML:
        msg = f"this is {KIND_WORDS[kind]}: {IMPORT_IT}"
        raise SpecificationError(msg)
    root = held if held is not None else read_plain_lock(text)
    if root is not None and is_lockfile(root):
        found, faults = read_lockfile(root, text, allow_local_files)
        if not faults:
            return found
    return _read_document(read_yaml(text), text, _Reader(allow_local_files, named), platform)


def _read_document(document: Document, text: str, reader: _Reader, platform: str | None) -> Specification:
    root = document.root
    if not isinstance(root, Table):
        msg = (
            f"an environment file is a mapping with at least: dependencies: [python]; one of another kind: {IMPORT_IT}"
        )
        raise SpecificationError([Fault(msg, getattr(root, "line", 1))])
    if "environments" in root and "packages" in root:
        msg = f"this is a pixi.lock: {IMPORT_IT}"
        raise SpecificationError(msg)
    if "bomFormat" in root:
        msg = f"this is a bill of materials: {IMPORT_IT}"
        raise SpecificationError(msg)
    if is_lockfile(root):
        specification, faults = read_lockfile(root, text, reader.allow_local_files)
    else:
        specification, faults = reader.read(root, text), reader.faults
        if not faults:
            specification = replace(
                specification, notes=tuple(map(masked, notes(root, text, platform or current_subdir())))
            )
    faults = [*document.faults, *faults]
    if faults:
        raise SpecificationError(sorted(faults, key=lambda fault: (fault.line or 0, fault.field)))
    return specification


class _Reader:
    """Reads one ``environment.yml`` and collects its faults."""

    def __init__(self, allow_local_files: bool, named: bool) -> None:
        self.allow_local_files = allow_local_files
        self.named = named
        self.faults: list[Fault] = []

    def read(self, root: Table, text: str) -> Specification:
        for key in root:
            if key not in KEYS:
                if key == "<<":
                    self.fault(f"'<<' merges another mapping: {IMPORT_IT}", root.lines[key], key)
                    continue
                close = difflib.get_close_matches(key, KEYS, 1)
                hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(KEYS)}"
                self.fault(f"unknown key {key!r}; {hint}", root.lines[key], key)
        pip_lines: list[tuple[str, int, str]] = []
        dependencies = self._dependencies(root.get("dependencies"), pip_lines)
        pip, options = self._pip(pip_lines)
        return Specification(
            name=self._name(root.get("name")),
            channels=self._channels(root.get("channels")),
            dependencies=dependencies,
            pip=pip,
            pip_options=options,
            variables=self._variables(root.get("variables")),
            description=self._text(root.get("description"), "description"),
            platforms=self._platforms(root.get("platforms")),
            channel_priority=self._priority(root.get("channel-priority")),
            system_requirements=self._requirements(root.get("system-requirements")),
            text=text,
        )

    def fault(self, message: str, line: int | None, field: str = "") -> None:
        self.faults.append(Fault(masked(message), line, field))

    def _items(self, value: Value, field: str) -> Items:
        if value is None:
            return Items()
        if not isinstance(value, Items):
            self.fault("must be a list: lines that start with '- '", value.line, field)
            return Items()
        if len(value) > MAX_ENTRIES:
            self.fault(f"{len(value)} entries; at most {MAX_ENTRIES}", value.line, field)
            return Items()
        return value

    def _text(self, value: Value, field: str) -> str:
        if value is None:
            return ""
        if not isinstance(value, Text):
            self.fault("must be text", value.line, field)
            return ""
        if len(value) > 10 * MAX_LENGTH:
            self.fault(f"{len(value)} characters; at most {10 * MAX_LENGTH}", value.line, field)
        return str(value)

    def _name(self, value: Value) -> str | None:
        name = self._text(value, "name")
        if not isinstance(value, Text):
            return None
        try:
            return check_name("environment", name)
        except InvalidInputError as error:
            if not self.named:
                self.fault(str(error), value.line, "name")
            return None

    def _channels(self, value: Value) -> tuple[str, ...]:
        channels = []
        for place, item in enumerate(self._items(value, "channels")):
            field = f"channels[{place}]"
            if not isinstance(item, Text):
                line = getattr(item, "line", value.blanks.get(place) if isinstance(value, Items) else None)
                self.fault(f"{_shape(item)} stands here; a channel is a name or an address", line, field)
                continue
            try:
                channels.append(check_channel(str(item), self.allow_local_files))
            except ValueError as error:
                self.fault(str(error), item.line, field)
        return tuple(dict.fromkeys(channels))

    def _dependencies(self, value: Value, pip_lines: list[tuple[str, int, str]]) -> tuple[str, ...]:
        specs = []
        for place, item in enumerate(self._items(value, "dependencies")):
            field = f"dependencies[{place}]"
            if isinstance(item, Table):
                self._pip_table(item, field, pip_lines)
            elif not isinstance(item, Text) or item.kind != "str" or not item.strip():
                line = getattr(item, "line", value.blanks.get(place) if isinstance(value, Items) else None)
                self.fault(f"{_shape(item)} stands here; a dependency is a package such as numpy>=1.26", line, field)
            else:
                try:
                    specs.append(check_match_spec(str(item), self.allow_local_files))
                except ValueError as error:
                    self.fault(str(error), item.line, field)
        return tuple(dict.fromkeys(specs))

    def _pip_table(self, table: Table, field: str, pip_lines: list[tuple[str, int, str]]) -> None:
        condition = condition_fault(table)
        if condition:
            self.fault(condition, table.line, field)
            return
        for key, lines in table.items():
            if key != "pip":
                self.fault(_unknown_entry(key, lines), table.lines[key], field)
                continue
            for place, line in enumerate(self._items(lines, f"{field}.pip")):
                if isinstance(line, Text):
                    pip_lines += [(part, line.line, f"{field}.pip[{place}]") for part in logical_lines(line)]
                else:
                    condition = condition_fault(line) if isinstance(line, Table) else ""
                    self.fault(
                        condition
                        or "a requirement is text; put quotation marks around one that holds ': ' or ends in ':'",
                        getattr(line, "line", table.line),
                        f"{field}.pip[{place}]",
                    )

    def _pip(self, lines: list[tuple[str, int, str]]) -> tuple[tuple[str, ...], PipOptions]:
        requirements, extra, links = [], [], []
        index: str | None = None
        for text, line, field in lines:
            try:
                parsed = parse_pip_line(text, self.allow_local_files)
            except ValueError as error:
                self.fault(str(error), line, field)
                continue
            if parsed is None:
                continue
            if parsed.requirement:
                requirements.append(parsed.requirement)
            elif parsed.option == "--extra-index-url":
                extra.append(parsed.value)
            elif parsed.option == "--find-links":
                links.append(parsed.value)
            elif index and index != parsed.value:
                self.fault("--index-url stands twice; use --extra-index-url for the second", line, field)
            else:
                index = parsed.value
        return tuple(dict.fromkeys(requirements)), PipOptions(index, tuple(extra), tuple(links))

    def _variables(self, value: Value) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Table):
            self.fault("must be a mapping of names to values, for example: NAME: value", value.line, "variables")
            return {}
        variables = {}
        for key, item in value.items():
            if isinstance(item, Items | Table):
                self.fault("must be text", item.line, f"variables.{key}")
                continue
            try:
                check_variable(key, str(item or ""))
            except ValueError as error:
                self.fault(str(error), value.lines[key], "variables")
            else:
                variables[key] = str(item or "")
        return variables

    def _priority(self, value: Value) -> str:
        """Return ``disabled``, or nothing for what is the usual one."""
        if value is not None and str(value) not in PRIORITIES:
            line = getattr(value, "line", None)
            self.fault(f"must be {' or '.join(PRIORITIES)}; conda's 'flexible' is not known", line, "channel-priority")
        return "" if value is None or str(value) != "disabled" else "disabled"

    def _requirements(self, value: Value) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, Table):
            self.fault("must be a mapping, for example: cuda: '12.4'", value.line, "system-requirements")
            return {}
        found = {}
        for key, item in value.items():
            try:
                check_requirement(key, "" if item is None or isinstance(item, Items | Table) else str(item))
            except ValueError as error:
                self.fault(str(error), value.lines[key], f"system-requirements.{key}"[:100])
            else:
                found[key] = str(item)
        return found

    def _platforms(self, value: Value) -> tuple[str, ...]:
        platforms = []
        for place, item in enumerate(self._items(value, "platforms")):
            if str(item) not in PLATFORMS:
                message = f"platform {str(item)!r} is not known; known: {', '.join(PLATFORMS)}"
                self.fault(message, getattr(item, "line", None), f"platforms[{place}]")
            else:
                platforms.append(str(item))
        return tuple(dict.fromkeys(platforms))


def _shape(value: Value) -> str:
    """Return what an entry of a list is, for a message, where it is no text."""
    if isinstance(value, Text) and value.strip():
        kind = {"bool": "true or false to YAML", "int": "a number", "float": "a number"}.get(value.kind, value.kind)
        return f"{str(value)[:60]!r}, which is {kind} (quotation marks make it a text),"
    return "a list" if isinstance(value, Items) else "a mapping" if isinstance(value, Table) else "nothing"


def _unknown_entry(key: str, value: Value) -> str:
    """Return what is wrong with an entry of ``dependencies`` that is a mapping, and not ``pip:``."""
    if isinstance(value, Text):
        bound = value[:40] if value[:1] in "<>=!~" else f"={value[:40]}"
        return f"'{key}: {value[:40]}' is a mapping; write a package as {key}{bound}"
    return f"{key!r} is not known in dependencies; only 'pip:' takes a list"
