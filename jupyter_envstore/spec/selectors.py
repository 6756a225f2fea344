"""Conditions on platforms: ``# [osx and not arm64]`` behind a line, ``sel(linux):`` before a package.

The words are those of conda-build ("Preprocessing selectors" in its documentation), which conda-lock and micromamba
take over in part. conda itself reads a comment as a comment.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Sequence

MAX_CONDITION = 200
PLATFORMS = {
    "linux-64": ("linux", "linux64", "unix", "x86", "x86_64"),
    "linux-aarch64": ("linux", "aarch64", "unix"),
    "linux-ppc64le": ("linux", "ppc64le", "unix"),
    "osx-64": ("osx", "osx64", "unix", "x86", "x86_64"),
    "osx-arm64": ("osx", "arm64", "unix"),
    "win-64": ("win", "win64", "x86", "x86_64"),
    "win-arm64": ("win", "arm64"),
}
"""What is true on a platform."""
KNOWN = {
    *(word for words in PLATFORMS.values() for word in words),
    *("linux32", "win32", "s390x", "armv6l", "armv7l", "riscv64", "freebsd", "zos", "emscripten", "wasi"),
}
"""All names of platforms; those that are true on none of ours too."""
SAME = {"macos": "osx", "macosx": "osx", "darwin": "osx", "mac": "osx", "windows": "win", "amd64": "x86_64"}
"""Words of other tools for systems."""
SUBDIR = re.compile(r"(linux|osx|win)[-_](64|32|aarch64|arm64|ppc64le|s390x|armv6l|armv7l|riscv64)")
"""A platform as conda spells it, or as a name of a variable has it."""
PYTHON_WORDS = {"!": " not ", "&&": " and ", "||": " or "}
QUOTED = re.compile(r"""(["'][^"']*["'])""")
MARKERS = {
    "sys_platform": {"linux": "linux", "osx": "darwin", "win": "win32"},
    "platform_system": {"linux": "Linux", "osx": "Darwin", "win": "Windows"},
    "os_name": {"linux": "posix", "osx": "posix", "win": "nt"},
}
"""What conditions of pip's requirements ask for, on each system (PEP 508)."""
TARGETS = ("target_platform", "build_platform", "host_platform", "subdir")
OPERATORS: dict[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: int.__lt__,
    ast.LtE: int.__le__,
    ast.Gt: int.__gt__,
    ast.GtE: int.__ge__,
    ast.Eq: int.__eq__,
    ast.NotEq: int.__ne__,
}
BY_SIGN: dict[str, Callable[[int, int], bool]] = {
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
    "==": int.__eq__,
    "!=": int.__ne__,
}
MINOR = re.compile(r"(<=?|>=?|==|!=)?\s*(\d)\.(\d{1,2})(?:\.\*)?")
BEHIND = re.compile(r"[^\S\n]*#([^\n]*)")
BRACKETS = re.compile(r"\[([^\[\]]+)\]")
KEY = re.compile(r"sel\s*\((.+)\)\s*", re.DOTALL)


def selector_behind(text: str, place: int) -> str | None:
    """Return the condition in a comment that follows ``place`` on its line; None where there is none.

    A comment that begins with brackets is one, whatever stands in them; in others, brackets count where all of their
    words are known: ``# see [1]`` is prose, ``# for COM [win]`` is a condition.
    """
    comment = BEHIND.match(text, place)
    if comment is None:
        return None
    words = comment[1].strip()
    if words.startswith("[") and "]" not in words:  # its end was forgotten
        words += "]"
    conditions: list[str] = [found.strip() for found in BRACKETS.findall(words)]
    known = next((condition for condition in conditions if is_known(condition)), None)
    if known is None and conditions and words.startswith("[") and re.search(r"[A-Za-z]", conditions[0]):
        return conditions[0]
    return known


def selector_key(key: str) -> str | None:
    """Return the condition of a key ``sel(…)``; None for other keys."""
    found = KEY.fullmatch(key.strip())
    return found[1].strip() if found else None


def is_known(condition: str) -> bool:
    """Whether every word of a condition is known, and it can be decided for a platform."""
    return evaluate(condition, "linux-64", (3, 12)) is not None


def evaluate(condition: str, platform: str, python: tuple[int, int] | None = None) -> bool | None:
    """Return whether a condition holds; None where that is not known.

    Parameters
    ----------
    condition : str
        For example ``linux and not aarch64``, ``py>=38``.
    platform : str
        As conda spells it.
    python : tuple of int or None
        Major and minor version, where the specification says it.
    """
    if len(condition) > MAX_CONDITION:
        return None
    try:
        tree = ast.parse(_as_python(condition), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _decide(tree, platform, python)


def _as_python(condition: str) -> str:
    """Return a condition whose platforms and signs are such as Python has; what stands in quotes stays."""
    parts = QUOTED.split(condition.strip())
    for place in range(0, len(parts), 2):
        part = re.sub(rf"(?<![\w-]){SUBDIR.pattern}(?![\w-])", r"\1_\2", parts[place], flags=re.IGNORECASE)
        parts[place] = re.sub(r"&&|\|\||!(?!=)", lambda found: PYTHON_WORDS[found[0]], part)
    return "".join(parts).strip()


def _decide(node: ast.expr, platform: str, python: tuple[int, int] | None) -> bool | None:
    if isinstance(node, ast.Name):
        return _name(node.id.lower(), platform, python)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        found = _decide(node.operand, platform, python)
        return None if found is None else not found
    if isinstance(node, ast.BoolOp):
        decides = isinstance(node.op, ast.Or)  # one such value decides, whatever the others are
        values = [_decide(value, platform, python) for value in node.values]
        return decides if decides in values else None if None in values else not decides
    if isinstance(node, ast.Tuple):
        return _one_of(node, platform)
    if isinstance(node, ast.Call):
        return _match(node, python)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.left, ast.Name):
        return _compare(node.left.id, node.ops[0], node.comparators[0], platform, python)
    return None


def _one_of(node: ast.Tuple, platform: str) -> bool | None:
    """Answer ``win, osx``: of platforms that exclude one another, one is meant."""
    names = [item.id for item in node.elts if isinstance(item, ast.Name)]
    true = [[place for place in PLATFORMS if _name(name.lower(), place, None)] for name in names]
    flat = [place for places in true for place in places]
    if len(names) < len(node.elts) or not all(true) or len(set(flat)) < len(flat):
        return None
    return platform in flat


def _match(node: ast.Call, python: tuple[int, int] | None) -> bool | None:
    """Answer ``match(python, ">=3.10,<3.13")``, as recipes have it, where the bounds are of minor versions."""
    words = [item.id if isinstance(item, ast.Name) else getattr(item, "value", None) for item in node.args]
    if python is None or not isinstance(node.func, ast.Name) or node.func.id != "match" or len(words) != 2:
        return None
    bounds = [MINOR.fullmatch(bound.strip()) for bound in str(words[1]).split(",")]
    if words[0] != "python" or not all(bounds):
        return None
    own = python[0] * 100 + python[1]
    found = [(bound[1] or "==", int(bound[2]) * 100 + int(bound[3])) for bound in bounds if bound]
    return all(BY_SIGN[sign](own, other) for sign, other in found)


def _name(word: str, platform: str, python: tuple[int, int] | None) -> bool | None:
    word = SAME.get(word, word)
    if word in ("true", "false"):
        return word == "true"
    subdir = SUBDIR.fullmatch(word)
    if subdir:
        return f"{subdir[1]}-{subdir[2]}" == platform
    if word in KNOWN:
        return word in PLATFORMS.get(platform, ())
    version = re.fullmatch(r"py(?:(\d)(\d{1,2})|([23])k)", word)
    if version is None or python is None:
        return None
    return python[0] == int(version[3]) if version[3] else python == (int(version[1]), int(version[2]))


def _compare(
    word: str, operator: ast.cmpop, other: ast.expr, platform: str, python: tuple[int, int] | None
) -> bool | None:
    if word in TARGETS and isinstance(operator, ast.In | ast.NotIn) and isinstance(other, ast.Tuple | ast.List):
        listed = [item.value for item in other.elts if isinstance(item, ast.Constant)]
        return (platform in listed) == isinstance(operator, ast.In) if len(listed) == len(other.elts) else None
    if not isinstance(other, ast.Constant):
        return None
    value = other.value
    own = platform if word in TARGETS else MARKERS.get(word, {}).get(platform.partition("-")[0])
    if own is not None and isinstance(value, str):
        same = value == own
        return same if isinstance(operator, ast.Eq) else not same if isinstance(operator, ast.NotEq) else None
    decide = OPERATORS.get(type(operator))
    if word == "python_version" and python is not None and isinstance(value, str) and decide is not None:
        minor = re.fullmatch(r"(\d)\.(\d{1,2})", value)
        return decide(python[0] * 100 + python[1], int(minor[1]) * 100 + int(minor[2])) if minor else None
    found = re.fullmatch(r"(\d)(\d{1,2})", str(value))
    if word != "py" or decide is None or python is None or not isinstance(value, int) or not found:
        return None
    return decide(python[0] * 100 + python[1], int(found[1]) * 100 + int(found[2]))


def python_of(specs: Sequence[str]) -> tuple[int, int] | None:
    """Return the minor version of Python that match specs name, where they name one: ``python=3.12``."""
    for spec in specs:
        found = re.fullmatch(r"(?:\S+::)?python\s*=*\s*(\d)\.(\d+)(?:[.=*].*)?", spec.strip())
        if found:
            return int(found[1]), int(found[2])
    return None


def current_subdir() -> str:
    """Return this machine's platform as conda names it."""
    import platform

    machine = platform.machine().lower()
    system = {"darwin": "osx", "win32": "win"}.get(sys.platform, "linux")
    arch = {"x86_64": "64", "amd64": "64", "arm64": "arm64" if system == "osx" else "aarch64"}.get(machine, machine)
    return f"{system}-{arch}"
