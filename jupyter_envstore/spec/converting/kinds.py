"""Which kind of file a text is, by what it holds; a kind that is not read is named at once."""

from __future__ import annotations

import csv
import json
import re
from enum import Enum
from pathlib import Path
from typing import NoReturn

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec.wording import ACCEPTED


class Kind(Enum):
    """A kind of file that is read."""

    YAML = "yaml"
    EXPLICIT = "explicit"
    CONDA_LIST = "conda list"
    TOML = "toml"
    SCRIPT = "script"
    NOTEBOOK = "notebook"
    CONDA_SPECS = "conda specs"
    REQUIREMENTS = "requirements"


KIND_WORDS = {
    Kind.EXPLICIT: "an @EXPLICIT list",
    Kind.CONDA_LIST: "what conda list --export prints",
    Kind.TOML: "a TOML file",
    Kind.SCRIPT: "a Python script with a script block",
    Kind.NOTEBOOK: "a notebook",
    Kind.CONDA_SPECS: "a list of conda's packages",
    Kind.REQUIREMENTS: "a list of requirements",
}

KEY = re.compile(r"^([A-Za-z_$][\w.$-]*):(?:\s|$)", re.MULTILINE)
TOML_HEAD = re.compile(r"\[\[?[\w.\"' -]+\]?\]|[\w.\"'-]+\s*=(?!=)\s*\S.*")
LOCK_HEAD = re.compile(r"version = \d")
REQUIREMENT = re.compile(
    r"[A-Za-z0-9][\w.-]*\s*(\[[\w,. -]*\])?\s*([<>=!~@;(].*)?|-{1,2}[a-z].*|git\+.*|https?://\S+.*|\./?\S*"
)
PYTHON = re.compile(r"^(#!.*python|import \w|from [\w.]+ import |def \w+\(|class \w+[(:]|if __name__)", re.MULTILINE)
EXPLICIT = re.compile(r"^@EXPLICIT\s*$", re.MULTILINE)
ADDRESS = re.compile(r"(https?|file)://\S+\.(conda|tar\.bz2)(#\S*)?$")
CONDA_ONLY = re.compile(r"(?:https?|file)://\S+::[\w*]|[A-Za-z0-9][\w./:-]*::[\w*]|[A-Za-z0-9_][\w.-]*\s*=\s*[^=\s]")
PIP_ONLY = re.compile(r"^-|^[^\s=<>]+\[[^\]=]*\]|;|@|://(?!\S+::)|===|[\\/]$|^[./]")
LIST_LINE = re.compile(r"([A-Za-z0-9_.-]+)=([^=\s]+)=([^=\s]+)")

NO_NAME = re.compile(r"[\w.-]{1000}")
COLUMN = re.compile(r"\s*[\w .()/%-]*\s*")
TABLES_OF_PEOPLE = (
    (re.compile(r"Package\s+Version\b.*\n-+\s+-+", re.IGNORECASE), "the table of pip list", "pip freeze prints"),
    (re.compile(r"^#?\s*Name\s+Version\s+Build\b", re.I | re.M), "a table of conda's", "conda list --export prints"),
)
"""What tools print for people, and what they print that is read."""

YAML_KINDS: tuple[tuple[str, frozenset[str]], ...] = (
    ("a GitHub workflow", frozenset({"jobs", "on"})),
    ("a Docker Compose file", frozenset({"services"})),
    ("a Conda recipe (recipe.yaml)", frozenset({"schema_version"})),
    ("a Conda recipe (recipe.yaml)", frozenset({"context", "package"})),
    ("a Conda recipe (meta.yaml)", frozenset({"package", "requirements"})),
    ("a Conda recipe (meta.yaml)", frozenset({"package", "build"})),
    ("a Conda recipe (recipe.yaml)", frozenset({"recipe", "outputs"})),
    ("a configuration of pre-commit", frozenset({"repos"})),
    ("an anaconda-project file", frozenset({"env_specs"})),
    ("a Kubernetes file", frozenset({"apiVersion", "kind"})),
    ("a configuration of conda-build", frozenset({"zip_keys"})),
    ("a configuration of Read the Docs", frozenset({"version", "build"})),
    ("a pipeline of GitLab", frozenset({"stages"})),
    ("a configuration of MkDocs", frozenset({"site_name"})),
)
CONSTRUCTOR = (
    *({"version", where} for where in ("specs", "environment", "environment_file", "extra_envs")),
    {"installer_type"},
)
"""Keys of which a ``construct.yaml`` has one set, and no other file with channels does."""
WAYS = {
    "a Conda recipe": "it says how a package is made; name what you want to use in an environment.yml",
    "a construct.yaml": "put what its specs name under dependencies in an environment.yml",
    "a Dockerfile": "take the packages that it installs into an environment.yml",
}


def kind_of(text: str, file_name: str) -> Kind:
    """Return the kind of a text.

    Parameters
    ----------
    text : str
        What it holds.
    file_name : str
        What it is called: decides where the text could be several things, as a list of names could.

    Raises
    ------
    SpecificationError
        It is of a kind that is not read; the message names it.
    """
    text, name = text.replace("\r\n", "\n"), Path(file_name).name
    if _is_explicit(text):
        return Kind.EXPLICIT
    first = next((line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")), "")
    if not first and "# /// script" not in text:
        return Kind.REQUIREMENTS if name.endswith((".txt", ".in")) else Kind.YAML
    if text.lstrip()[:1] in ("{", "["):
        found = _json(text)
        if found is not None:
            return found
    if re.search(r"^# /// script[ \t]*$", text, re.MULTILINE) and not name.endswith((".yml", ".yaml", ".toml")):
        return Kind.SCRIPT
    keys = set(KEY.findall(text))
    if "dependencies" in keys or {"package", "metadata"} <= keys or {"environments", "packages"} <= keys:
        return Kind.YAML
    _refuse_plain(text, first, name)
    is_lock = name.endswith(".lock") and LOCK_HEAD.match(first) and not keys  # one may have no tables
    if name.endswith(".toml") or is_lock or _looks_like_toml(text, first, keys):
        return Kind.TOML
    _refuse_yaml(text, keys)
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if lines and all(LIST_LINE.fullmatch(line) for line in lines):
        return Kind.CONDA_LIST
    if name.endswith(".py") or (PYTHON.search(text) and not keys - {"else", "try", "finally"}):
        _refuse("a Python script without a script block", 'one that begins with "# /// script" lists what it needs')
    if name.endswith((".txt", ".in")):
        return Kind.CONDA_SPECS if _are_conda_specs(lines) else Kind.REQUIREMENTS
    if not name.endswith((".yml", ".yaml")) and not keys and all(REQUIREMENT.fullmatch(_bare(line)) for line in lines):
        return Kind.REQUIREMENTS
    return Kind.YAML


def _are_conda_specs(lines: list[str]) -> bool:
    """Whether lines are what ``conda install --file`` takes, and pip does not: one has a channel, or a single ``=``."""
    bare = [_bare(line) for line in lines]
    return any(CONDA_ONLY.match(line) for line in bare) and not any(PIP_ONLY.search(line) for line in bare)


def _is_explicit(text: str) -> bool:
    """Whether a text is a list of addresses of conda packages: ``@EXPLICIT`` stands before them, or is forgotten.

    The word may stand in a program too, for example in one that writes such lists.
    """
    mark = EXPLICIT.search(text)
    before = [line.strip() for line in (text[: mark.start()] if mark else text).splitlines()]
    lines = [line for line in before if line and not line.startswith("#")]
    return (mark is not None or bool(lines)) and all(ADDRESS.match(line) for line in lines)


def _bare(line: str) -> str:
    return line[:2000].split(" #")[0].rstrip("\\ \t")


def _is_csv(text: str, name: str) -> bool:
    """Whether a text is a table: its first line names columns, and the next ones have as many fields."""
    if name.lower().endswith((".csv", ".tsv")):
        return True
    if PYTHON.search(text):  # import a, b
        return False
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    for mark in ",\t;":
        rows = list(csv.reader(lines, delimiter=mark)) if len(lines) > 1 else []
        if rows and len(rows[0]) > 1 and all(COLUMN.fullmatch(cell) for cell in rows[0]):
            return all(len(row) == len(rows[0]) for row in rows[:-1])
    return False


def _refuse(what: str, way: str = "") -> NoReturn:
    key = next((start for start in WAYS if what.startswith(start)), "")
    hint = way or WAYS.get(key, "")
    msg = f"this is {what}, not an environment's file{f'; {hint}' if hint else ''}. Accepted: {ACCEPTED}"
    raise SpecificationError(msg)


def _json(text: str) -> Kind | None:
    """Return the kind of a JSON text, None where it is none, or a specification in JSON."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(data, list):
        _refuse("a list in JSON", "conda list --export and conda env export print what is read")
    keys = set(data)
    if {"cells", "nbformat"} <= keys:
        return Kind.NOTEBOOK
    for what, needed in (
        ("package-lock.json, of npm", {"lockfileVersion"}),
        ("a Pipfile.lock", {"_meta", "default"}),
        ("renv.lock, of R", {"R", "Packages"}),
        ("a development container's file", {"customizations"}),
        ("repodata of a channel", {"packages.conda"}),
        ("a kernel.json", {"argv", "display_name"}),
    ):
        if needed <= keys:
            _refuse(what)
    if isinstance(data.get("dependencies"), dict) or {"scripts", "devDependencies"} & keys:
        _refuse("package.json, of Node.js")
    return Kind.YAML


def _refuse_plain(text: str, first: str, name: str) -> None:
    """Refuse what is neither YAML nor TOML."""
    start = text.lstrip()[:200].lower()
    if start.startswith("version https://git-lfs"):
        _refuse("a pointer of Git LFS", "fetch the file itself with: git lfs pull")
    for pattern, what, way in TABLES_OF_PEOPLE:
        if pattern.search(text[:2000]):
            _refuse(what, f"{way} what is read")
    if NO_NAME.match(first):
        _refuse(f"something else: its first line is one word of {len(first):,} characters")
    if _is_csv(text, name):
        _refuse("a table (CSV)")
    if all(re.search(mark, text, re.MULTILINE) for mark in ("^<{7} ", "^={7}$", "^>{7} ")):
        msg = "the file holds conflict marks of Git (<<<<<<<); resolve them first"
        raise SpecificationError(msg)
    if start.startswith(("<!doctype", "<html", "<?xml")):
        _refuse("a web page", "download the file itself (its raw form)")
    if re.match(r"(FROM|ARG)\s+\S", first) and re.search(r"^(FROM|RUN|COPY|CMD|ENTRYPOINT)\s", text, re.MULTILINE):
        _refuse("a Dockerfile")
    if start.startswith("#!") and re.match(r"#!.*\b(ba|z|da)?sh\b", start):
        _refuse("a shell script")
    if name.lower() in ("makefile", "gnumakefile") or first.startswith(".PHONY"):
        _refuse("a Makefile")
    if name in ("setup.cfg", "tox.ini"):
        _refuse(f"{name}, a configuration of Python's tools")


def _looks_like_toml(text: str, first: str, keys: set[str]) -> bool:
    return (
        not keys
        and bool(TOML_HEAD.fullmatch(first))
        and bool(re.search(r"^\s*\[\[?[^\]]+\]\]?\s*(#.*)?$", text, re.MULTILINE))
        and "=" in text
    )


def _refuse_yaml(text: str, keys: set[str]) -> None:
    if re.search(r"^\{%-?\s*set\s", text, re.MULTILINE):
        _refuse("a Conda recipe (meta.yaml)")
    if any(needed <= keys for needed in CONSTRUCTOR):
        _refuse("a construct.yaml, of constructor")
    for what, needed in YAML_KINDS:
        if needed <= keys and "channels" not in keys:
            _refuse(what)


def check_toml_kind(data: dict[str, object], name: str) -> None:
    """Refuse TOML files that are of other tools.

    Raises
    ------
    SpecificationError
        It is one; the message names it.
    """
    if isinstance(data.get("package"), list):
        metadata = data.get("metadata")
        if isinstance(metadata, dict) and "content-hash" in metadata:
            _refuse("poetry.lock", "its pyproject.toml is read")
        from jupyter_envstore.spec.converting.uv_lock import is_uv_lock  # not needed to start the server

        if is_uv_lock(data, name):
            return
        if isinstance(metadata, dict) and "groups" in metadata:
            _refuse("pdm.lock", "its pyproject.toml is read, and a pylock.toml: pdm config lock.format pylock")
        _refuse("Cargo.lock, of Rust")
    if isinstance(data.get("packages"), dict) or isinstance(data.get("dev-packages"), dict):
        _refuse("a Pipfile", "pipenv requirements prints what is read")
    if "envs" in data:
        _refuse("pixi's global manifest")
    package = data.get("package")
    if isinstance(package, dict) and ("edition" in package or "lib" in data or "bin" in data):
        _refuse("Cargo.toml, of Rust")
