"""Mend an ``environment.yml`` that was exported elsewhere, or written for another tool."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jupyter_envstore.errors import InvalidInputError, SpecificationError
from jupyter_envstore.spec.conditions import resolve_conditions
from jupyter_envstore.spec.document import Items, Text
from jupyter_envstore.spec.included_files import Beside
from jupyter_envstore.spec.keys import mend_entries, mend_keys
from jupyter_envstore.spec.logins import drop_logins
from jupyter_envstore.spec.names import check_name, suggest_name
from jupyter_envstore.spec.origin import Listed, header_platform, is_useless, listed, origin, where_from
from jupyter_envstore.spec.package_editing import append_pip_lines, pip_name
from jupyter_envstore.spec.parsed_text import Sheet
from jupyter_envstore.spec.pip_repair import drop_pip_lines, mend_pip, pip_lines
from jupyter_envstore.spec.platform_packages import PART_OF, PIP_NAME_ELSEWHERE, Platforms, pip_only_platforms
from jupyter_envstore.spec.text_editor import Change, Editor, dash_before
from jupyter_envstore.spec.text_positions import line_end, line_start
from jupyter_envstore.spec.value_shapes import mend_shapes
from jupyter_envstore.spec.wording import counted

KERNELS = re.compile(
    r"^(ipykernel|xeus.*|r-irkernel|ansible-kernel|bash_kernel|octave_kernel|ipython|jupyter|jupyterlab|notebook)$"
)
PIP_KERNELS = re.compile(r"^(ipykernel|xeus-python|jupyter|jupyterlab|notebook)$")
OF_KERNEL = frozenset(
    {
        *("appnope", "asttokens", "comm", "debugpy", "decorator", "exceptiongroup", "executing", "importlib-metadata"),
        *("ipython", "ipython-pygments-lexers", "jedi", "jupyter-client", "jupyter-core", "matplotlib-inline"),
        *("nest-asyncio", "nest-asyncio2", "packaging", "parso", "pexpect", "platformdirs", "prompt-toolkit", "psutil"),
        *("ptyprocess", "pure-eval", "pygments", "python-dateutil", "pyzmq", "six", "stack-data", "tornado"),
        *("traitlets", "typing-extensions", "wcwidth", "zipp"),
    }
)
"""What ``ipykernel`` needs: conda would install the newest of each, and what conda installs keeps its version."""
BOUND = re.compile(r"==|~=|<|!=|\s@\s")
"""What may keep a package of PyPI from being the newest."""
OF_SYSTEM = re.compile(r"\b(sys_platform|platform_system|platform_machine|os_name)\b")
"""What a condition of a line for pip is about where it says by itself for which systems the line is."""


@dataclass(frozen=True)
class Mending:
    """How a file is mended.

    Parameters
    ----------
    name : str
        What it is called where it has no name.
    defaults : str
        What the channel ``defaults`` becomes.
    platform : str
        Where it shall be built, for example ``linux-64``.
    keep : sequence of str
        Changes that are not wanted.
    beside : Beside or None
        Reads the files that it names; None where there are none.
    exported_on : str
        The platform that the file was exported on, where something else than its text says so.
    """

    name: str
    defaults: str
    platform: str
    keep: Sequence[str] = ()
    beside: Beside | None = None
    exported_on: str = ""


def mend(text: str, how: Mending) -> tuple[Sheet, list[Change]]:
    """Return the text of an ``environment.yml`` mended, and what was changed.

    Raises
    ------
    SpecificationError
        It is none; or a file that it names beside it cannot be read.
    """
    sheet, shaped = _shaped(Sheet(text), how.platform)
    sheet, changes, lines = mend_keys(sheet)
    changes[:0] = shaped
    for step in (lambda sheet: resolve_conditions(sheet, how.platform), mend_entries):
        sheet, told = step(sheet)
        changes += told
    sheet = sheet.written(append_pip_lines(sheet.text, lines))
    sheet, told = drop_logins(sheet)
    changes += told
    sheet, told = mend_pip(sheet, how.keep, how.beside)
    changes += told
    root = sheet.root
    editor = Editor(sheet.text, root, how.keep)
    packages = listed(root)
    _name(editor, how.name)
    exported_on = origin(root, packages, how.exported_on or header_platform(text))
    if "prefix" in root:
        editor.drop_key(root, "prefix")
        editor.changed("prefix dropped", "the path of another machine's environment")
    _channels(editor, how.defaults)
    kernel: list[str] = []
    if isinstance(root.get("dependencies"), Items):
        if exported_on and how.platform not in exported_on:
            _foreign(editor, packages, exported_on, how.platform)
        kernel = _kernel(editor, packages)
    mended = sheet.written(append_pip_lines(editor.result(), kernel))
    if "&" in text and "*" in mended.text:
        _check_anchors(mended)
    return mended, [*changes, *editor.changes]


def _shaped(sheet: Sheet, platform: str) -> tuple[Sheet, list[Change]]:
    """Mend shapes; what is written anew has no comments any more, so the conditions in them are resolved before."""
    mended, changes = mend_shapes(sheet)
    if not changes:
        return mended, changes
    resolved, before = resolve_conditions(sheet, platform)
    if not before:
        return mended, changes
    try:
        mended, changes = mend_shapes(resolved)
    except SpecificationError:  # what an anchor stood at is gone
        return mended, changes
    return mended, [*before, *changes]


def _check_anchors(sheet: Sheet) -> None:
    """Refuse a text in which something was dropped that stands elsewhere by reference."""
    try:
        _ = sheet.root
    except SpecificationError as error:
        msg = f"anchors ('&', '*') keep this text from being mended; write it out without them ({error})"
        raise SpecificationError(msg) from None


def _name(editor: Editor, fallback: str) -> None:
    root = editor.root
    value = root.get("name")
    if isinstance(value, Text):
        try:
            check_name("environment", str(value))
        except InvalidInputError:
            name = suggest_name(str(value), fallback)
            start, end = root.spans["name"]
            tail = "\n" if editor.text[end - 1] == "\n" else ""
            editor.write(start, end, f"name: {name}{tail}")
            editor.changed(f"name '{value}' became {name}", "a name has letters, digits and _ . + - only")
        return
    if "name" in root:
        editor.drop_key(root, "name")
    start = root.span[0] + (1 if root.flow else 0)
    editor.insert(start, f"name: {fallback}, " if root.flow else f"name: {fallback}\n")
    why = "what stands there is no text" if "name" in root else "the file has none"
    editor.changed(f"name {fallback} added", why)


def _channels(editor: Editor, defaults: str) -> None:
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


def _foreign(editor: Editor, packages: Sequence[Listed], platforms: Platforms, here: str) -> None:
    """Take out what only the platform can follow that the file was exported on."""
    dependencies = editor.root["dependencies"]
    where = where_from(platforms, here)
    stripped = 0
    gone: list[str] = []
    bound: list[str] = []
    for package in packages:
        if is_useless(package, platforms, here):
            if "foreign" not in editor.keep and isinstance(dependencies, Items):
                editor.drop_item(dependencies, package.item)
                (bound if package.name in PART_OF else gone).append(package.name)
        elif package.build and "builds" not in editor.keep:
            editor.replace(package.item, package.without_build)
            stripped += 1
    if stripped:
        editor.changed(f"{counted(stripped, 'build string')} removed", f"the file was written on {where}", "builds")
    if gone:
        editor.changed(f"{', '.join(gone)} dropped", f"only on {where}", "foreign")
    if bound:
        why = f"other packages need it on {where}, in this version; what needs it here brings its own"
        editor.changed(f"{', '.join(bound)} dropped", why, "foreign")
    if "foreign" not in editor.keep:
        _foreign_pip(editor, platforms, here, where)


def _foreign_pip(editor: Editor, platforms: Platforms, here: str, where: str) -> None:
    """Take out, or call by their other names, lines for pip that can be followed where the file is from alone."""
    lines = pip_lines(editor.root)
    known = {pip_name(line) for line in lines}
    useless = []
    for line in lines:
        name = pip_name(line)
        only = pip_only_platforms(name)
        if only is None or here in only or not only & platforms or OF_SYSTEM.search(line.partition(";")[2]):
            continue
        other = PIP_NAME_ELSEWHERE.get(name)
        if other is None or other in known:
            useless.append(line)
            continue
        known.add(other)
        new = other + line.strip()[len(name) :]
        editor.replace(line, new)
        editor.changed(f"pip line '{line}' became {new}", f"it is called so where it is not for {where}", "foreign")
    if useless:
        names = ", ".join(pip_name(line) for line in useless)
        editor.changed(f"pip package {names} dropped", f"only on {where}", "foreign")
        drop_pip_lines(editor, useless)


def _kernel(editor: Editor, packages: Sequence[Listed]) -> list[str]:
    """Add a kernel for Python where there is none; return it as a line for pip where it has to come from PyPI.

    It has to where lines for pip bind what it needs: from conda it would bring other versions, and the build fail.
    """
    dependencies = editor.root["dependencies"]
    python = next((package.item for package in packages if package.name == "python"), None)
    pip = {pip_name(line): str(line) for line in pip_lines(editor.root)}
    if (
        "kernel" in editor.keep
        or python is None
        or any(KERNELS.match(package.name) for package in packages)
        or any(PIP_KERNELS.match(name) for name in pip)
    ):
        return []
    bound = [name for name in pip if name in OF_KERNEL and BOUND.search(pip[name])]
    if bound:
        why = f"without it there is no kernel; of PyPI, since lines for pip bind {', '.join(bound)[:200]}"
        editor.changed("ipykernel added to 'pip:'", why, "kernel")
        return ["ipykernel"]
    start, end = python.span
    if isinstance(dependencies, Items) and dependencies.flow:
        editor.insert(end, ", ipykernel")
    else:
        dash = dash_before(editor.text, start)
        indent = editor.text[line_start(editor.text, dash) : dash]
        if indent.strip() or editor.text[dash] != "-" or editor.text[end - 1] == "\n":
            return []  # written in a way that has no line of its own for it
        editor.insert(line_end(editor.text, end), f"\n{indent}- ipykernel")
    editor.changed("ipykernel added", "without it there is no kernel", "kernel")
    return []
