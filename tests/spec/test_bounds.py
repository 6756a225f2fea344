"""Bounds of versions as Poetry and pixi write them: the same versions as there, and requirements that are some."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from jupyter_envstore.spec.converting.bounds import read_bounds
from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.converting.poetry import poetry_marker
from jupyter_envstore.spec.converting.pypi import bound, conda_bound, requirement
from jupyter_envstore.spec.repair import repair


@pytest.mark.parametrize(
    ("text", "within", "outside"),
    [
        ("^1.2.3", "1.2.3 1.9", "1.2.2 2"),
        ("^0.2.3", "0.2.3 0.2.9", "0.2.2 0.3"),
        ("^0.0.3", "0.0.3", "0.0.2 0.0.4 0.1"),
        ("^0.0", "0.0 0.0.9", "0.1"),
        ("^0", "0 0.9", "1"),
        ("^1.2rc1", "1.2rc1 1.2 1.9", "1.1 2"),
        ("^1.2.post1", "1.2.post1 1.3", "1.2 2"),
        ("^1!2.0", "1!2.5", "2.5 1!3"),
        (" ^ 1.2 ", "1.2 1.9", "2"),
        ("~1.2.3", "1.2.3 1.2.9", "1.2.2 1.3"),
        ("~1.2", "1.2 1.2.9", "1.3"),
        ("~1", "1 1.9", "2"),
        ("~=1.2", "1.2 1.9", "1.1 2"),
        ("~=1.2.3", "1.2.9", "1.3"),
        ("~=1", "1 1.9", "2"),
        ("3.10.*", "3.10 3.10.9", "3.9 3.11"),
        ("3.*", "3 3.14", "2.7 4"),
        ("==3.11.*", "3.11.5", "3.12"),
        ("=1.2.*", "1.2.9", "1.3"),
        ("3.9.*,!=3.9.1", "3.9 3.9.2", "3.9.1 3.10"),
        ("!=1.2.*", "1.1 1.3", "1.2 1.2.9"),
        (">=1.2.*", "1.2 2", "1.1"),
        ("<2.*", "1.9", "2"),
        ("*", "0 9", ""),
        ("", "0 9", ""),
        ("1.2", "1.2 1.2.0", "1.2.1"),
        ("=1.2", "1.2", "1.3"),
        ("v1.2", "1.2", "1.3"),
        ("13.7.0.post1", "13.7.0.post1", "13.7.0"),
        ("1.2-3", "1.2.post3", "1.2"),
        ("1.2.3-alpha.1", "1.2.3a1", "1.2.3"),
        ("2.1.0+cu118", "2.1.0+cu118", "2.1.0 2.1.0+cpu"),
        ("^2.0.1+cu118", "2.0.1+cu118 2.5", "2.0 3"),
        (">=1.0+cpu,<2.0+cpu", "1.0+cpu 1.5", "0.9 2.1"),
        (">1 <2", "1.5", "1 2"),
        (">= 1.2, < 2", "1.2", "2"),
        (">=1,", "1 9", "0.9"),
        ("^1.2 || ^2", "1.2 2.9", "1.1 3"),
        ("^1|^2", "1 2.9", "3"),
        ("3.9.* || 3.11.*", "3.9.1 3.11.1", "3.8 3.10.4 3.12"),
        ("<3.9.7 || >3.9.7", "3.9.6 3.9.8", "3.9.7"),
        ("^3.8,<3.9.7 || >3.9.7,<4.0", "3.8 3.9.6 3.9.8", "3.7 3.9.7 4.0"),
        ("<2 || >=3", "1.9 3", "2 2.9"),
        ("^1,!=1.5 || ^2,!=2.1", "1 2 1.6", "1.5 2.1 3"),
        ("!=1.2 || >=3", "1.1 4", "1.2"),
        ("1.2 || *", "0 9", ""),
        (">=3.8,<3.12 || 3.13", "3.8 3.13", "3.12.1 3.14"),
        ("===1.0", "1.0", "1.0.0"),
    ],
)
def test_bounds_mean_the_versions_that_poetry_takes_for_them(text: str, within: str, outside: str) -> None:
    found = read_bounds(text)
    assert len(found.alternatives) == 1
    wanted = SpecifierSet(found.newest)
    assert [version for version in within.split() if not wanted.contains(version, prereleases=True)] == []
    assert [version for version in outside.split() if wanted.contains(version, prereleases=True)] == []


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("1.2.3 || 1.2.4", ("==1.2.3", "==1.2.4")),
        (">2.1 || <1", ("<1", ">2.1")),
        ("^1.2,<1.5 || ^2", (">=1.2,<2,<1.5", ">=2,<3")),
        ("1.0 || 2.* || 3.*", ("==1.0", ">=2,<4")),
    ],
)
def test_alternatives_that_no_one_list_of_bounds_says_stay_apart(text: str, alternatives: tuple[str, ...]) -> None:
    assert read_bounds(text).alternatives == alternatives
    draft = Draft()
    assert bound("p", text, draft) == alternatives[-1]
    assert [change.what for change in draft.told] == [f"p {text} became {alternatives[-1]}"]
    assert conda_bound("p", text, draft) == "|".join(alternatives)


@pytest.mark.parametrize(
    "text", ["latest", "> = 1", "1.2 - 2", "<>1", "!=*", ">=1,,<2", "1.2.3 beta one", "3 || 4 5.."]
)
def test_what_says_no_versions_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_bounds(text)
    draft = Draft()
    assert requirement("p", text, draft) == "p"
    assert [change.what for change in draft.told] == [f"p: {text!r} left out"]


def test_a_local_version_that_no_bound_can_have_is_told() -> None:
    draft = Draft()
    assert requirement("torch", "^2.0.1+cu118", draft) == "torch>=2.0.1,<3"
    assert [change.what for change in draft.told] == ["torch ^2.0.1+cu118 became >=2.0.1,<3"]
    assert requirement("torch", "2.0.1+cu118", draft) == "torch==2.0.1+cu118"
    assert len(draft.told) == 1


@pytest.mark.parametrize("text", ["3.40.*", "*=*mkl", ">=1,<2|3.*", "1.2.*,!=1.2.3", "~=1.2", "1.0.post1"])
def test_bounds_that_conda_knows_stay_as_they_are(text: str) -> None:
    assert conda_bound("p", text, Draft()) == text


@pytest.mark.parametrize(
    ("said", "holds", "fails"),
    [
        ({"python": "<=3.8"}, "3.8.0 3.7.9", "3.8.1"),
        ({"python": ">3.8"}, "3.8.1 3.9.0", "3.8.0"),
        ({"python": "3.8.*"}, "3.8.0 3.8.9", "3.9.0"),
        ({"python": "~3.8"}, "3.8.9", "3.9.0"),
        ({"python": "^3.8,!=3.9.1"}, "3.8.0 3.9.2", "3.9.1 4.0.0"),
        ({"python": "!=3.9.*"}, "3.8.0 3.10.0", "3.9.5"),
        ({"python": "3.*"}, "3.8.0 3.12.0", "4.0.0"),
        ({"python": ">=3.8.1"}, "3.8.1", "3.8.0"),
        ({"python": "<3.8 || >3.12"}, "3.7.1 3.13.0", "3.8.0 3.12.0"),
        ({"python": ">=3.9", "platform": "linux"}, "3.9.1", "3.8.1"),
        ({"platform": "darwin || linux"}, "3.9.1", ""),
        ({"platform": "!=win32"}, "3.9.1", ""),
        ({"platform": "win32"}, "", "3.9.1"),
        ({"platform": "linux", "markers": "os_name == 'nt' or os_name == 'posix'"}, "3.9.1", ""),
        ({"python": ">=3.9", "markers": "os_name == 'nt' or os_name == 'posix'"}, "3.9.1", "3.8.9"),
    ],
)
def test_conditions_of_poetry_hold_where_poetry_has_them(said: dict[str, str], holds: str, fails: str) -> None:
    marker = Requirement(f"p ; {poetry_marker(dict(said))}").marker
    assert marker is not None

    def on(version: str) -> bool:
        short = version.rpartition(".")[0]
        system = {"sys_platform": "linux", "os_name": "posix"}
        return marker.evaluate({"python_version": short, "python_full_version": version, **system})

    assert [version for version in holds.split() if not on(version)] == []
    assert [version for version in fails.split() if on(version)] == []


NUMBERS = st.lists(st.integers(0, 40), min_size=1, max_size=4).map(lambda numbers: ".".join(map(str, numbers)))
TAILS = st.sampled_from(["", "", "", ".*", ".x", "rc1", "-alpha.2", ".post1", ".dev3", "+cu118", "a1+l.2", "-1", "!2"])
OPERATORS = st.sampled_from(["", "^", "~", "~=", "=", "==", "!=", "<", "<=", ">", ">=", "===", "^ ", ">= "])
ONE = st.builds(lambda operator, numbers, tail: f"{operator}{numbers}{tail}", OPERATORS, NUMBERS, TAILS) | st.just("*")
SAID = st.builds(
    lambda parts, comma, choice: choice.join([comma.join(parts[:2]), *parts[2:]]),
    st.lists(ONE, min_size=1, max_size=4),
    st.sampled_from([",", " ", ", "]),
    st.sampled_from([" || ", "|", "||"]),
)
NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,6}[A-Za-z0-9])?", fullmatch=True).filter(
    lambda name: name.lower() != "python"
)
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "version": SAID | st.text(max_size=8),
        "python": SAID,
        "platform": st.sampled_from(["linux", "win32 || darwin", "!=win32", "it's"]),
        "markers": st.sampled_from(["os_name == 'nt'", "python_version > '3' or os_name=='x'", "none"]),
        "extras": st.lists(st.sampled_from(["a", "b-c", "d e"]), max_size=2) | st.just("socks"),
        "source": st.sampled_from(["own", "pypi", "elsewhere"]),
        "optional": st.booleans(),
        "git": st.sampled_from(["https://me:secret@h.example/g", "git@h.example:g"]),
        "rev": st.sampled_from(["c" * 40, "main"]),
        "url": st.sampled_from(["https://h.example/x-1-py3-none-any.whl", "https://h.example/a b.whl"]),
        "file": st.just("x.whl"),
        "subdirectory": st.just("python"),
        "allow-prereleases": st.booleans(),
    },
)


@given(st.dictionaries(NAMES, SAID | TABLES | st.lists(TABLES, max_size=2), min_size=1, max_size=4))
def test_every_line_of_a_poetry_file_is_a_requirement_of_a_package_that_it_names(packages: dict[str, object]) -> None:
    """What cannot be one is told by its name: nothing is lost in silence, and no other package comes in its place."""
    listed = "\n".join(f"{json.dumps(name)} = {_toml(said)}" for name, said in packages.items())
    text = (
        '[[tool.poetry.source]]\nname = "own"\nurl = "https://me:secret@own.example/simple"\npriority = "explicit"\n'
        f'[tool.poetry.dependencies]\npython = "^3.11"\nkept-package = "1"\n{listed}\n'
    )
    repaired = repair(text, "pyproject.toml", platform="linux-64", keep=("kernel",))
    assert "secret" not in repaired.text + str(repaired.changes)
    lines = [json.loads(line.strip()[2:]) for line in repaired.text.splitlines() if line.startswith("      - ")]
    read = [Requirement(line) for line in lines if not line.startswith("--")]
    known = {canonicalize_name(name) for name in (*packages, "kept-package")}
    taken = {canonicalize_name(one.name) for one in read}
    assert taken <= known
    told = " ".join(change.what for change in repaired.changes)
    for name, said in packages.items():
        assert canonicalize_name(name) in taken or name in told or said == []


def _toml(said: object) -> str:
    if isinstance(said, dict):
        return "{" + ", ".join(f"{key} = {_toml(value)}" for key, value in said.items()) + "}"
    if isinstance(said, list):
        return "[" + ", ".join(map(_toml, said)) + "]"
    return json.dumps(said).replace("\\ud", "\\\\ud").replace("\x7f", " ")
