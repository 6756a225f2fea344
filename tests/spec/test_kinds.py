"""Files of other kinds than they look like: known by what they hold, or named; never read as nothing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import ChoiceError, Pick
from jupyter_envstore.spec.converting.pypi import age_of
from jupyter_envstore.spec.included_files import FilesBeside
from jupyter_envstore.spec.repair import Repaired, repair

MD5 = "0" * 32
ADDRESS = f"https://host.example/c/linux-64/zlib-1.2-0.conda#{MD5}"


def way(text: str, name: str, folder: Path | None = None) -> tuple[Repaired, Specification]:
    repaired = repair(text, name, beside=FilesBeside(folder) if folder else None)
    return repaired, read_specification(repaired.text, held=repaired.held)


def told(repaired: Repaired) -> str:
    return "\n".join(f"{change.what} ({change.why})" for change in repaired.changes)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "name: bwa mem\ndescription: map reads\nauthors: [A]\ninput: [a]\noutput: [b]\n",
            "but authors, input, output",
        ),
        ("lockfileVersion: '9.0'\nsettings: {}\nimporters: {}\npackages: {}\n", "a lockfile of npm or pnpm"),
        ('{"nodes": {"root": {}}, "root": "root", "version": 7}', "flake.lock, of Nix"),
        ('{"$schema": "https://host.example/s.json", "mark": "bar"}', "a document with a schema of its own"),
        ("c_compiler_version:\n- 14\n", "no environment's file"),
    ],
)
def test_a_file_without_any_key_of_an_environment_is_not_read_as_an_empty_one(text: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=re.escape(words)) as caught:
        repair(text, "some.yml")
    assert "Accepted: environment.yml" in str(caught.value)


@pytest.mark.parametrize("name", ["list", "list.txt", "list.yml"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,version\nnumpy,1.26\nscipy,1.11\n", "a table (CSV)"),
        ('"Package name"\t"Version"\nnumpy\t1.26\n', "a table (CSV)"),
        ("name;version\nnumpy;1.26\n", "a table (CSV)"),
        ("Package    Version\n---------- -------\nnumpy      1.26\n", "pip freeze prints what is read"),
        (
            "# packages in /x:\n#\n# Name  Version  Build  Channel\nnumpy 1 py_0 c\n",
            "conda list --export",
        ),
        ("a" * 2_000_000, "one word of 2,000,000 characters"),
    ],
)
def test_tables_and_texts_without_an_end_are_named(text: str, words: str, name: str) -> None:
    for reading in (repair, read_specification):
        with pytest.raises(SpecificationError, match=re.escape(words)) as caught:
            reading(text, name)
        assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "text", ["numpy>=1,<2\nscipy>=1,<2\n", "a[x,y]\nb[x,y]\n", "attrs ; python_version > '3'\nb ; x\n"]
)
def test_requirements_with_commas_are_no_table(text: str) -> None:
    assert "requirements.txt read" in told(repair(text, "requirements.txt"))


@pytest.mark.parametrize("text", ["name: a\n", "dependancies: [a]\nauthors: [b]\n", "packages: [a]\nnotes: b\n"])
def test_a_file_whose_key_is_misspelled_or_that_asks_for_nothing_is_read(text: str) -> None:
    assert way(text, "a.yml")[0].kind == "environment"


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("version = 1\nrevision = 3\nrequires-python = '>=3.11'\n[options]\na = 1\n", "script.py.lock", "uv.lock"),
        ("[packages]\nrequests = '*'\n", "Pipfile", "a Pipfile"),
        ("[root]\nrequires = []\n[expected]\nx = 1\n", "scenario.toml", "it has root, expected"),
    ],
)
def test_toml_of_other_tools_is_named(text: str, name: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=words):
        repair(text, name)


def test_a_program_that_writes_explicit_lists_is_no_such_list() -> None:
    text = 'import x\n\nTEXT = """\n@EXPLICIT\nhttps://host.example/a-1-0.conda\n"""\n'
    with pytest.raises(SpecificationError, match="a Python script without a script block"):
        repair(text, "test_explicit.py")


@pytest.mark.parametrize("head", ["", "# made by somebody\n", "# platform: linux-64\n\n@EXPLICIT\n"])
def test_a_list_of_addresses_is_a_lock_with_or_without_its_first_word(head: str) -> None:
    repaired, found = way(f"{head}{ADDRESS}\n", "conda.txt")
    assert repaired.kind == "lockfile"
    assert found.lockfile is not None
    assert [package["name"] for package in found.lockfile["package"]] == ["zlib"]


@pytest.mark.parametrize(
    ("text", "specs"),
    [
        ("python=3.7.*\nnumpy>=1.20  # arrays\n", ("python=3.7.*", "numpy>=1.20")),
        ("conda-forge::xonsh\n\n# a comment\nrequests\n", ("conda-forge::xonsh", "requests")),
        ("numpy = 1.26\nscipy ==1.11\n", ("numpy = 1.26", "scipy ==1.11")),
        ("https://host.example/c::zlib\nnumpy\n", ("https://host.example/c::zlib", "numpy")),
    ],
)
def test_a_list_for_conda_install_is_one_of_conda_packages(text: str, specs: tuple[str, ...]) -> None:
    repaired, found = way(text, "requirements.txt")
    assert found.dependencies[: len(specs)] == specs or set(specs) <= set(found.dependencies)
    assert not found.pip
    assert "a list of conda's packages read as environment.yml" in told(repaired)


@pytest.mark.parametrize(
    "text", ["numpy==1.26\n", "--extra-index-url https://host.example/\nnumpy=1.26\n", "requests[socks]\nnumpy=1.26\n"]
)
def test_a_list_for_pip_stays_one(text: str) -> None:
    _, found = way(text, "requirements.txt")
    assert "numpy==1.26" in found.pip or "requests[socks]" in found.pip


PROJECT = """\
[project]
name = "p"
requires-python = ">=3.10"
dependencies = ["requests>=2"]
[tool.pixi.workspace]
channels = ["conda-forge"]
platforms = ["linux-64"]
"""


def test_a_pyproject_with_pixi_asks_for_what_its_project_does() -> None:
    _, found = way(PROJECT, "pyproject.toml")
    assert found.pip == ("requests>=2",)
    assert found.dependencies[0] == "python >=3.10"
    with pytest.raises(SpecificationError, match="asks for no packages: \\[dependencies\\]"):
        repair("[workspace]\nchannels = []\nplatforms = []\n", "pixi.toml")
    with pytest.raises(SpecificationError, match="mine left out: it points at a repository, a path or a file"):
        repair('[workspace]\nchannels = []\nplatforms = []\n[dependencies]\nmine = { path = "." }\n', "pixi.toml")


@pytest.mark.parametrize(
    "table",
    [
        '[tool.setuptools.dynamic]\ndependencies = { file = ["requirements.txt"] }\n',
        '[tool.setuptools.dynamic]\ndependencies = { file = "requirements.txt" }\n',
        '[tool.hatch.metadata.hooks.requirements_txt]\nfiles = ["requirements.txt"]\n',
    ],
)
def test_dependencies_that_a_project_has_in_a_file_are_read_from_it(table: str, tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("requests>=2  # a comment\nrich\n")
    text = f'[project]\nname = "p"\ndynamic = ["dependencies", "version"]\n{table}'
    repaired, found = way(text, "pyproject.toml", tmp_path)
    assert found.pip == ("requests>=2", "rich")
    assert "read from requirements.txt" in told(repaired)
    with pytest.raises(SpecificationError, match="another file cannot be read from here"):
        way(text, "pyproject.toml")


def test_dependencies_that_a_program_makes_are_named_as_such() -> None:
    with pytest.raises(SpecificationError, match="a program of the project says what they are"):
        repair('[project]\nname = "p"\ndynamic = ["dependencies"]\n', "pyproject.toml")


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("7d", timedelta(days=7)),
        ("7 days", timedelta(days=7)),
        ("1 week", timedelta(weeks=1)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        ("P7D", timedelta(days=7)),
        ("P1W", timedelta(weeks=1)),
        ("PT24H", timedelta(hours=24)),
        ("P1DT12H", timedelta(hours=36)),
        ("7 fortnights", None),
        ("P", None),
        ("P1M", None),
        ("99999w", None),
        ("last week", None),
        ("", None),
    ],
)
def test_spans_of_time_are_read_as_uv_and_pixi_write_them(words: str, span: timedelta | None) -> None:
    assert age_of(words) == span


def test_a_span_of_exclude_newer_becomes_a_moment_and_is_told() -> None:
    text = '# /// script\n# dependencies = ["rich"]\n# [tool.uv]\n# exclude-newer = "P7D"\n# ///\n'
    repaired, _ = way(text, "tool.py")
    moment = datetime.fromisoformat(repaired.exclude_newer.replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - timedelta(days=7) - moment) < timedelta(minutes=5)
    assert f"tool.uv.exclude-newer 'P7D' became {repaired.exclude_newer}" in told(repaired)


def test_a_marker_of_pixi_stays() -> None:
    text = (
        '[workspace]\nchannels = ["c"]\nplatforms = ["linux-64"]\n[dependencies]\npython = "3.12.*"\n'
        '[pypi-dependencies]\nwinreg = { version = "*", env-markers = "sys_platform == \'win32\'" }\n'
    )
    assert way(text, "pixi.toml")[1].pip == ('winreg; sys_platform == "win32"',)


PIXI_LOCK = """\
version: 6
environments:
  default:
    channels: []
    packages: {packages}
  docs:
    channels: []
    packages: {{}}
packages:
- conda: https://host.example/c/linux-64/zlib-1.2-0.conda
"""


def test_a_pixi_lock_without_packages_or_hashes_says_so_by_name() -> None:
    with pytest.raises(SpecificationError, match=r"default of the lock has no packages$") as refused:
        repair(PIXI_LOCK.format(packages="{}"), "pixi.lock")
    assert isinstance(refused.value, ChoiceError)
    assert str(refused.value.with_ways_out("--a", "--b")).endswith("no packages; choose with --a: docs")
    sources = "{linux-64: [{conda: src/mine}]}"
    with pytest.raises(SpecificationError, match=r"sources are built where they lie \(src/mine\)$"):
        repair(PIXI_LOCK.format(packages=sources), "pixi.lock")
    hashless = "{linux-64: [{conda: https://host.example/c/linux-64/zlib-1.2-0.conda}]}"
    with pytest.raises(SpecificationError, match=r"zlib-1.2-0.conda has no hash .*: pixi lock") as caught:
        repair(PIXI_LOCK.format(packages=hashless), "pixi.lock")
    assert caught.value.faults[0].line == 10


@pytest.mark.parametrize(
    "entry",
    [
        "dependencies: ['server=={{ conda_store.version }}']",
        "dependencies: ['numpy=${VERSION}']",
        "dependencies: [python, pip, {pip: ['tool=={{ version }}']}]",
        "dependencies: [python, pip, {pip: ['--extra-index-url https://host.example/$TOKEN/simple']}]",
        "channels: ['https://host.example/$CHANNEL']\ndependencies: [a]",
    ],
)
@pytest.mark.parametrize("is_fixed", [False, True])
def test_places_that_another_program_fills_in_are_named(entry: str, is_fixed: bool) -> None:
    with pytest.raises(SpecificationError, match="a place that nothing fills in here") as caught:
        way(f"name: a\n{entry}\n", "a.yml") if is_fixed else read_specification(f"name: a\n{entry}\n")
    assert caught.value.faults[0].line is not None


LIKE = {
    "environment.yml": "name: a\nchannels:\n  - c\ndependencies:\n  - numpy=1.26\n  - pip:\n      - rich\n",
    "tool.py": "#!/usr/bin/env python\n# /// script\n# dependencies = ['rich']\n# ///\nimport rich\n",
    "pixi.toml": '[workspace]\nchannels = ["c"]\nplatforms = ["linux-64"]\n[dependencies]\nzlib = "*"\n',
    "requirements.txt": "rich\nrequests \\\n  >=2\n",
    "explicit.txt": f"@EXPLICIT\n{ADDRESS}\n",
    "conda.txt": "numpy=1.26=py312_0\nzlib=1.2=0\n",
    "pixi.lock": PIXI_LOCK.format(packages="{linux-64: [{conda: https://host.example/c/linux-64/zlib-1.2-0.conda}]}")
    + f"  md5: {MD5}\n",
}


@pytest.mark.parametrize("name", LIKE)
@pytest.mark.parametrize("breaks", ["\r\n", "\r"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_breaks_and_encodings_of_other_systems_change_nothing(name: str, breaks: str, coding: str) -> None:
    text = LIKE[name]
    expected = way(text, name)
    repaired = repair(text.replace("\n", breaks).encode(coding), name)
    found = read_specification(repaired.text, held=repaired.held)
    assert found == expected[1]
    assert told(repaired) == told(expected[0])


def test_conditions_of_poetry_become_markers() -> None:
    text = (
        "[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\npython = '^3.9'\n"
        "rich = [{ version = '^12', python = '<3.10' }, { version = '^13', python = '>=3.10' }]\n"
        "winreg = { version = '*', platform = 'win32' }\n"
        "old = { version = '1.0', python = '~2.7 || ^3.6', markers = \"extra == 'x'\" }\n"
        "zlib = { version = '1', python = '>=3.9.1' }\n"
    )
    repaired, found = way(text, "pyproject.toml")
    assert set(found.pip) == {
        'rich<13,>=12; python_version < "3.10"',
        'rich<14,>=13; python_version >= "3.10"',
        'winreg; sys_platform == "win32"',
        'zlib==1; python_full_version >= "3.9.1"',
    }
    assert "old left out (it is for other extras" in told(repaired)


def test_a_file_of_which_nothing_is_left_says_what_it_asked_for() -> None:
    text = "[tool.poetry]\nname = 'a'\n[tool.poetry.dependencies]\nmine = { path = '../mine' }\n"
    with pytest.raises(SpecificationError, match=r"nothing is left .*mine left out: it points at"):
        repair(text, "pyproject.toml")


@pytest.mark.parametrize("address", ["https://[x]/c/linux-64/a-1-0.conda", "https://[::1/c/linux-64/a-1-0.conda"])
def test_an_address_with_wrong_brackets_is_a_fault(address: str) -> None:
    lock = PIXI_LOCK.format(packages=f"{{linux-64: [{{conda: '{address}'}}, {{pypi: 'git+{address}#{'a' * 40}'}}]}}")
    for text, name in ((f"@EXPLICIT\n{address}#{MD5}\n", "conda.txt"), (lock, "pixi.lock"), (f"{address}\n", "r.txt")):
        with pytest.raises(SpecificationError):
            way(text, name)


GROUPS = """\
[project]
name = "My.Tool"
dependencies = ["rich"]
[project.optional-dependencies]
plots = ["matplotlib"]
docs = ["sphinx", "my-tool[plots]"]
all = ["my_tool[docs,plots,gone]", "my-tool"]
[dependency-groups]
test = ["pytest", "My.Tool[plots]"]
[tool.uv]
dev-dependencies = ["ruff"]
"""


@pytest.mark.parametrize(
    ("category", "pip"),
    [
        ("docs", ("rich", "sphinx", "matplotlib")),
        ("all", ("rich", "sphinx", "matplotlib")),
        ("test", ("rich", "pytest", "matplotlib")),
        ("dev", ("rich", "ruff")),
    ],
)
def test_extras_that_a_project_asks_of_itself_are_its_own(category: str, pip: tuple[str, ...]) -> None:
    repaired = repair(GROUPS, "pyproject.toml", pick=Pick(categories=(category,)))
    assert set(read_specification(repaired.text).pip) == set(pip)
    if category == "all":
        assert "gone] left out (the project has no such extra)" in told(repaired)
        assert "my-tool left out (it is the project itself" in told(repaired)


def test_sources_of_uv_keep_extras_and_markers_and_are_told_where_they_are_for_some_systems() -> None:
    text = (
        "[project]\nname = 'a'\ndependencies = [\"ore[x]>=1; sys_platform == 'linux'\", 'torch', 'mine']\n"
        f"[tool.uv.sources]\nore = {{ git = 'https://host.example/ore', rev = '{'a' * 40}' }}\n"
        "torch = [{ index = 'cpu', marker = \"sys_platform == 'darwin'\" }, { index = 'cuda' }]\n"
        "mine = [{ path = '../mine', marker = \"sys_platform == 'win32'\" }, { index = 'own' }]\n"
    )
    repaired, found = way(text, "pyproject.toml")
    assert found.pip[0] == f'ore[x] @ git+https://host.example/ore@{"a" * 40} ; sys_platform == "linux"'
    assert found.pip[1:] == ("torch", "mine")
    assert "tool.uv.sources.torch left out" in told(repaired)
    assert "a source of mine left out" in told(repaired)


def test_an_environment_of_pixi_without_the_default_feature_lacks_what_the_project_asks_for() -> None:
    text = PROJECT + (
        "[tool.pixi.feature.lint.dependencies]\nruff = '*'\n"
        "[tool.pixi.environments]\nlint = { features = ['lint'], no-default-feature = true }\n"
    )
    assert way(text, "pyproject.toml")[1].pip == ("requests>=2",)
    lint = read_specification(repair(text, "pyproject.toml", pick=Pick(environment="lint")).text)
    assert not lint.pip
    assert "ruff" in lint.dependencies


@pytest.mark.parametrize(
    ("line", "spec"),
    [("python>=3.8", "python >=3.8"), ("Python == 3.10  # tried with it", "python ==3.10"), ("python", "python")],
)
def test_a_line_for_python_in_a_list_for_pip_is_python_itself(line: str, spec: str) -> None:
    repaired, found = way(f"{line}\nrequests==2.31\n", "requirements.txt")
    assert found.dependencies[0] == spec
    assert found.pip == ("requests==2.31",)
    assert "taken for Python itself" in told(repaired)
    assert "added (converted)" not in told(repaired)
