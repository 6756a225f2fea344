"""Other tools' files: what is carried over, what is told, and which kinds are named."""

from __future__ import annotations

import json
import textwrap
import time

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import ChoiceError, Pick
from jupyter_envstore.spec.repair import Repaired, repair

COMMIT = "c" * 40
PIXI = """
[workspace]
name = "w"
description = "for tests"
channels = [{ channel = "low", priority = -1 }, "conda-forge"]
platforms = [
  "osx-arm64",
  { name = "gpu", platform = "linux-64", glibc = "2.28", cuda = "12.4", },
]
exclude-newer = "2025-01-31"
channel-priority = "strict"
version = "1"

[dependencies]
python = { version = ">=3.11",
  build = "*_cpython", }
only = "1"

[target.linux.dependencies]
only = "2"

[target.win.dependencies]
pywin32 = "*"

[activation]
env = { A = "\\x41", B = "1" }

[feature.test.dependencies]
pytest = "*"

[feature.test.pypi-dependencies]
rich = { git = "https://host.example/rich", rev = "COMMIT" }

[environments]
test = ["test"]
bare = { features = ["test"], no-default-feature = true }

[unheard-of]
x = 1
""".replace("COMMIT", COMMIT)


def read(text: str, file: str, pick: Pick | None = None) -> tuple[Specification, Repaired]:
    repaired = repair(textwrap.dedent(text), file, platform="linux-64", pick=pick, keep=("kernel",))
    return read_specification(repaired.text), repaired


def told(repaired: Repaired) -> str:
    return "\n".join(change.what for change in repaired.changes)


def test_a_pixi_workspace_is_carried_over_for_its_platform() -> None:
    found, repaired = read(PIXI, "pixi.toml")
    assert found.dependencies == ("python >=3.11 *_cpython", "only 2")
    assert (found.name, found.description, found.channels) == ("w", "for tests", ("conda-forge", "low"))
    assert found.platforms == ("osx-arm64", "linux-64")
    assert found.system_requirements == {"glibc": "2.28", "cuda": "12.4"}
    assert found.variables == {"A": "A", "B": "1"}
    assert repaired.exclude_newer == "2025-01-31"
    assert repaired.offer.environments == ("default", "test", "bare")


def test_what_is_not_known_in_a_pixi_workspace_is_told_by_its_name() -> None:
    words = told(read(PIXI, "pixi.toml")[1])
    for name in ("unheard-of", "workspace.version", "target.win", "feature"):
        assert name in words
    for name in ("exclude-newer", "activation", "target.linux", "channel-priority"):
        assert name not in words


def test_one_environment_of_a_pixi_workspace_is_chosen() -> None:
    found, _ = read(PIXI, "pixi.toml", Pick("test"))
    assert found.dependencies == ("python >=3.11 *_cpython", "only 2", "pytest")
    assert found.pip == (f"rich @ git+https://host.example/rich@{COMMIT}",)
    bare, _ = read(PIXI, "pixi.toml", Pick("bare"))
    assert [spec.split("=")[0] for spec in bare.dependencies] == ["python", "pytest"]
    with pytest.raises(SpecificationError, match="no environment 'x'") as caught:
        read(PIXI, "pixi.toml", Pick("x"))
    assert isinstance(caught.value, ChoiceError)
    ways = caught.value.with_ways_out("--environment", "--category")
    assert str(ways) == "the file has no environment 'x'; choose with --environment: default, test, bare"


def test_the_manifest_of_a_package_is_named() -> None:
    with pytest.raises(SpecificationError, match="a package's manifest, not an environment's"):
        repair('[package]\nname = "a"\n[package.build]\nbackend = { name = "b" }\n', "pixi.toml")


def test_a_project_is_carried_over_with_the_groups_that_are_chosen() -> None:
    text = """
        [project]
        name = "My.Project"
        description = "what it is"
        requires-python = ">=3.11,<4"
        dependencies = ["numpy>=1", "inner", "rich[jupyter]; python_version > '3'"]
        license = "MIT"
        [project.optional-dependencies]
        docs = ["sphinx"]
        [dependency-groups]
        base = ["pytest"]
        test = [{ include-group = "base" }, "coverage"]
        [tool.uv]
        index = [{ url = "https://host.example/simple", default = true }]
        exclude-newer = "1 week"
        sources = { inner = { workspace = true } }
        [tool.black]
        line-length = 1
        """
    found, repaired = read(text, "pyproject.toml")
    assert found.dependencies == ("python >=3.11,<4",)
    assert [line.split(";")[0] for line in found.pip] == ["numpy>=1", "rich[jupyter]"]
    assert found.pip_options.index_url == "https://host.example/simple"
    words = told(repaired)
    for name in (
        "inner left out",
        "project.license",
        "tool.black",
        "dependency-groups",
        "project.optional-dependencies",
        "exclude-newer",
    ):
        assert name in words
    chosen, repaired = read(text, "pyproject.toml", Pick(categories=("test", "docs")))
    assert chosen.pip[2:] == ("pytest", "coverage", "sphinx")
    assert "dependency-groups" not in told(repaired)
    assert "optional-dependencies" not in told(repaired)
    with pytest.raises(SpecificationError, match="no group or extra x") as caught:
        read(text, "pyproject.toml", Pick(categories=("x",)))
    assert isinstance(caught.value, ChoiceError)
    ways = caught.value.with_ways_out("--environment", "--category")
    assert str(ways).endswith("; choose with --category: docs, base, test")


def test_groups_and_extras_that_chosen_ones_include_are_not_told_as_left_out() -> None:
    text = """
        [project]
        name = "My_Tool"
        dependencies = ["numpy"]
        [project.optional-dependencies]
        all = ["my-tool[Plots]"]
        plots = ["pillow"]
        other = ["attrs"]
        [dependency-groups]
        test = [{ include-group = "Mo.re" }, { include-group = "dev" }]
        mo-re = ["toolz"]
        unused = ["cowsay"]
        [tool.uv]
        dev-dependencies = ["iniconfig"]
        """
    chosen, repaired = read(text, "pyproject.toml", Pick(categories=("test", "all")))
    assert chosen.pip == ("numpy", "toolz", "iniconfig", "pillow")
    left = [change.what for change in repaired.changes if "left out" in change.what]
    assert left == ["project.optional-dependencies.other left out", "dependency-groups.unused left out"]
    pixi = '[tool.pixi.workspace]\nchannels = ["c"]\n[tool.pixi.environments]\ndefault = ["test"]\n'
    _, repaired = read(text + pixi.replace("\n", "\n        "), "pyproject.toml")
    assert "mo-re" not in told(repaired)


def test_conda_lock_and_poetry_in_a_pyproject_are_an_environment() -> None:
    found, _ = read(
        """
        [tool.poetry]
        name = "p"
        [tool.poetry.dependencies]
        python = "^3.10"
        requests = "^2.28.1"
        [tool.poetry.group.dev.dependencies]
        pytest = "*"
        [tool.conda-lock]
        channels = ["conda-forge"]
        platforms = ["linux-64"]
        [tool.conda-lock.dependencies]
        sqlite = "3.40.*"
        ampel = { version = "~1.2", source = "pypi" }
        """,
        "pyproject.toml",
    )
    assert found.dependencies == ("python >=3.10,<4", "sqlite 3.40.*")
    assert sorted(found.pip) == ["ampel<1.3,>=1.2", "requests<3,>=2.28.1"]
    assert found.channels == ("conda-forge",)


BLOCK = """\
#!/usr/bin/env python
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "numpy>=1",
# ]
# [tool.uv]
# exclude-newer = "2025-02-01T00:00:00Z"
# ///
import numpy
"""


def test_a_script_and_a_notebook_with_a_block_are_specifications() -> None:
    cells = [{"cell_type": "code", "source": ["print(1)"]}, {"cell_type": "code", "source": BLOCK.splitlines(True)}]
    notebook = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    for text, file in ((BLOCK, "plot.py"), (BLOCK, "-"), (notebook, "plot.ipynb")):
        found, repaired = read(text, file)
        assert (found.dependencies, found.pip) == (("python >=3.11",), ("numpy>=1",))
        assert repaired.exclude_newer == "2025-02-01T00:00:00Z"


LOCK = """\
version: {version}
environments:
  default:
    channels:
    - url: https://host.example/c/
    packages:
      linux-64:
      - conda: https://host.example/c/linux-64/a-1.0-h1_0.conda
      - pypi: https://host.example/b-2.0-py3-none-any.whl
      - pypi: git+https://host.example/g?rev=main#{commit}
      - pypi: ./
      osx-64:
      - conda: https://host.example/c/osx-64/a-1.0-h2_0.conda
  other:
    channels: []
    packages:
      linux-64:
      - conda: https://host.example/c/linux-64/a-1.0-h1_0.conda
packages:
- conda: https://host.example/c/linux-64/a-1.0-h1_0.conda
  sha256: {sha}
  md5: {md5}
  depends:
  - z >=1,<2
- conda: https://host.example/c/osx-64/a-1.0-h2_0.conda
  sha256: {sha}
- pypi: https://host.example/b-2.0-py3-none-any.whl
  name: b
  version: '2.0'
  sha256: {sha}
  requires_dist:
  - c>=1
- pypi: git+https://host.example/g?rev=main#{commit}
  name: g
  version: '0.1'
- pypi: ./
  name: own
"""


@pytest.mark.parametrize("wanted", ["disabled", "strict", "flexible"])
def test_the_channel_priority_that_a_feature_wants_is_kept_or_told(wanted: str) -> None:
    text = f'''
        [workspace]
        name = "w"
        channels = ["conda-forge"]
        platforms = ["linux-64"]
        [feature.a]
        channel-priority = "{wanted}"
        [feature.a.dependencies]
        numpy = "*"
        [environments]
        default = ["a"]
    '''
    specification, repaired = read(text, "pixi.toml")
    assert ("channel-priority left out" in told(repaired)) == (wanted == "flexible")
    assert specification.channel_priority == ("disabled" if wanted == "disabled" else "")


@pytest.mark.parametrize("version", [5, 6, 7])
def test_an_environment_of_a_pixi_lock_is_a_lock(version: int) -> None:
    text = LOCK.format(version=version, commit=COMMIT, sha="1" * 64, md5="0" * 32)
    found, repaired = read(text, "pixi.lock")
    assert repaired.kind == "lockfile"
    assert found.lockfile is not None
    entries = [(entry["platform"], entry["name"], entry["version"]) for entry in found.lockfile["package"]]
    assert entries == [
        ("linux-64", "a", "1.0"),
        ("linux-64", "b", "2.0"),
        ("linux-64", "g", "0.1"),
        ("osx-64", "a", "1.0"),
    ]
    first, _, third, _ = found.lockfile["package"]
    assert first["dependencies"] == {"z": ">=1,<2"}
    assert third["url"] == f"git+https://host.example/g@{COMMIT}"
    assert "1 package left out: own" in told(repaired)
    other, _ = read(text, "pixi.lock", Pick("other"))
    assert other.lockfile is not None
    assert len(other.lockfile["package"]) == 1


@pytest.mark.parametrize(
    ("text", "file", "words"),
    [
        ("import os\nprint(os)\n", "a.py", "a Python script without a script block"),
        ("FROM python:3\nRUN pip install x\n", "Dockerfile", "a Dockerfile"),
        ('{% set version = "1" %}\npackage:\n  name: a\n', "meta.yaml", "a Conda recipe"),
        ("name: M\nversion: 1.0\nchannels: [c]\nspecs: [python 3.11*]\n", "construct.yaml", "a construct.yaml"),
        ("name: M\nversion: 1.0\ninstaller_type: sh\nenvironment_file: e.yml\n", "c.yml", "a construct.yaml"),
        ("on: push\njobs:\n  a: {}\n", "ci.yml", "a GitHub workflow"),
        ('{"lockfileVersion": 3}', "package-lock.json", "npm"),
        ('{"name": "a", "scripts": {}, "dependencies": {}}', "package.json", "package.json"),
        ('{"cells": [], "nbformat": 4}', "a.ipynb", "a notebook without a script block"),
        ('version = 1\nrequires-python = ">=3"\n[[package]]\nname = "a"\n', "uv.lock", "uv.lock"),
        ('[[package]]\nname = "a"\n[metadata]\ncontent-hash = "x"\n', "poetry.lock", "poetry.lock"),
        ('[[source]]\nurl = "u"\n[packages]\na = "*"\n', "Pipfile", "a Pipfile"),
        ("<!DOCTYPE html><html></html>", "environment.yml", "a web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "pixi.lock", "a pointer of Git LFS"),
        ("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> x\n", "requirements.txt", "conflict marks"),
    ],
)
def test_a_kind_that_is_not_read_is_named_at_once(text: str, file: str, words: str) -> None:
    started = time.monotonic()
    with pytest.raises(SpecificationError, match=words):
        repair(text, file)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("file", ["environment.yml", "x.txt", "-", "pixi.toml.bak"])
def test_a_file_is_known_by_what_it_holds(file: str) -> None:
    assert read('[workspace]\nname = "w"\n[dependencies]\npython = "*"\n', file)[0].dependencies == ("python",)
    assert read("name: a\ndependencies:\n  - python\n", file)[0].dependencies == ("python",)


def test_without_fix_another_kind_is_named_with_the_way_to_read_it() -> None:
    with pytest.raises(SpecificationError, match="a Python script with a script block: import it"):
        read_specification(BLOCK)


def test_what_is_not_known_of_a_workspace_is_told_as_that() -> None:
    text = (
        "[workspace]\nname = 'w'\nchannels = ['c']\nplatforms = ['linux-64']\nlicense = 'MIT'\nmystery = 3\n"
        "solve-strategy = 'lowest'\n[dependencies]\nnumpy = '*'\n"
    )
    told = {change.what: change.why for change in repair(text, "pixi.toml", platform="linux-64").changes}
    assert told["workspace.license left out"].startswith("it is about the project")
    assert told["workspace.mystery left out"] == "no key of it that is known here"
    assert told["workspace.solve-strategy left out"] == "the newest versions are taken"


def test_sources_of_poetry_and_what_is_optional_are_told() -> None:
    text = (
        "[tool.poetry]\nname = 'x'\n"
        "[[tool.poetry.source]]\nname = 'own'\nurl = 'https://index.example.org/simple'\n"
        "[[tool.poetry.source]]\nname = 'PyPI'\npriority = 'primary'\n"
        "[[tool.poetry.source]]\nname = 'torch'\nurl = 'https://torch.example.org'\npriority = 'explicit'\n"
        "[tool.poetry.dependencies]\npython = '^3.11'\nrequests = '^2'\n"
        "[tool.conda-lock]\nchannels = ['c']\n"
        "[tool.conda-lock.dependencies]\nnumpy = {version = '>=1', optional = true}\n"
    )
    repaired = repair(text, "pyproject.toml", platform="linux-64")
    told = {change.what for change in repaired.changes}
    assert "--extra-index-url https://index.example.org/simple" in repaired.text
    assert "torch.example.org" not in repaired.text
    assert {
        "tool.poetry.source own became '--extra-index-url'",
        "tool.poetry.source torch left out",
        "numpy taken",
    } <= told
