"""Packages of a ``pyproject.toml``: what Poetry, conda-lock, PDM, Rye, uv and pixi say of one, beside ``[project]``."""

from __future__ import annotations

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.converting.draft import Pick
from jupyter_envstore.spec.repair import repair

COMMIT = "c" * 40
WHEEL = f"https://h.example/x-1.0-py3-none-any.whl#sha256={'1' * 64}"
ARCHIVE = f"https://h.example/x/archive/v1.0.tar.gz#sha256={'2' * 64}"


def read(text: str, *categories: str, file: str = "pyproject.toml") -> tuple[Specification, dict[str, str]]:
    """Read a file; return also what was told, by what it is about."""
    repaired = repair(text, file, platform="linux-64", keep=("kernel",), pick=Pick(categories=categories))
    return read_specification(repaired.text), {change.what: change.why for change in repaired.changes}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("^3.10", ">=3.10,<4"),
        ("3.10.*", "==3.10.*"),
        ("3.*", "==3.*"),
        ("==3.11.*", "==3.11.*"),
        ("3.9.*,!=3.9.1", "==3.9.*,!=3.9.1"),
        ("~3.10", ">=3.10,<3.11"),
        (">=3.9 <3.12", ">=3.9,<3.12"),
        ("3.9.* || 3.11.*", ">=3.9,<3.12,!=3.10.*"),
        ("<3.9 || >=3.10.2", "<3.9|>=3.10.2"),
        ("3.10.x", "==3.10.*"),
        ("*", ""),
    ],
)
def test_bounds_of_python_are_those_of_poetry(said: str, expected: str) -> None:
    found, _ = read(f'[tool.poetry.dependencies]\npython = "{said}"\nrich = "*"\n')
    (python,) = found.dependencies
    if expected:
        assert python.replace(" ", "") == f"python{expected}"
    else:
        assert python.startswith("python=3.")


def test_bounds_of_requires_python_that_pep_440_has_no_longer_are_understood() -> None:
    found, _ = read('[project]\nname = "p"\nrequires-python = ">=3.9.*"\ndependencies = ["rich"]\n')
    assert found.dependencies == ("python >=3.9",)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (f'url = "{WHEEL}"', f"x @ {WHEEL}"),
        (f'url = "{ARCHIVE}"', f"x @ {ARCHIVE}"),
        (f'url = "{ARCHIVE}", subdirectory = "python"', f"x @ {ARCHIVE}&subdirectory=python"),
        (f'git = "https://h.example/x", rev = "{COMMIT}"', f"x @ git+https://h.example/x@{COMMIT}"),
        ('git = "https://h.example/x"', "without a full commit"),
        ('git = "https://h.example/x", branch = "main"', "without a full commit"),
        ('git = "https://h.example/x", tag = "v1"', "without a full commit"),
        ('path = "../x", develop = true', "of one machine"),
        ('file = "x.whl"', "of one machine"),
        ('svn = "https://h.example/x"', "a repository of svn"),
    ],
)
@pytest.mark.parametrize("tool", ["poetry", "conda-lock", "poetry-beside-project", "conda-lock-beside-project", "pixi"])
def test_a_package_that_is_elsewhere_is_taken_from_there_or_left_out(tool: str, place: str, expected: str) -> None:
    """Never does a package of the same name come from an index in its place."""
    project = '[project]\nname = "p"\ndependencies = ["x>=1", "rich"]\n' if tool.endswith("project") else ""
    source = ', source = "pypi"' if tool.startswith("conda-lock") else ""
    table = {"poetry": "poetry", "conda-lock": "conda-lock"}.get(tool.removesuffix("-beside-project"), "pixi")
    name = "dependencies" if table != "pixi" else "pypi-dependencies"
    text = f"{project}[tool.{table}.{name}]\nX = {{ {place}{source} }}\n"
    text += 'rich = "*"\n' if table == "poetry" else ""
    text += '[tool.conda-lock]\nchannels = ["c"]\n' if table == "conda-lock" else ""
    text += '[tool.conda-lock.dependencies.rich]\nsource = "pypi"\n' if table == "conda-lock" else ""
    if table == "pixi":
        text = (
            f'[project]\nname = "p"\ndependencies = ["x>=1", "rich"]\n{text}[tool.pixi.workspace]\nchannels = ["c"]\n'
        )
    found, told = read(text)
    taken = [line.partition(" ; ")[0] for line in found.pip]
    assert "rich" in taken
    rest = [line for line in taken if not line.startswith("rich")]
    if expected.startswith("x @"):
        assert rest == [expected.replace("x @", "X @", 1)]
    else:
        assert rest == []
        assert expected in told["X left out"]


def test_a_package_that_is_elsewhere_keeps_the_conditions_that_project_has() -> None:
    text = f"""
[project]
name = "p"
dependencies = ["x[a]>=1; os_name == 'posix'", "numpy>=1", "torch==2.1.0+cpu"]
[tool.poetry.dependencies]
x = {{ url = "{WHEEL}" }}
numpy = {{ source = "pypi", allow-prereleases = true }}
torch = {{ source = "cpu" }}
[[tool.poetry.source]]
name = "cpu"
url = "https://cpu.example/whl"
priority = "explicit"
[[tool.poetry.source]]
name = "unused"
url = "https://unused.example/whl"
priority = "explicit"
"""
    found, told = read(text)
    assert found.pip == ("numpy>=1", "torch==2.1.0+cpu", f'x[a] @ {WHEEL} ; os_name == "posix"')
    assert found.pip_options.extra_index_urls == ("https://cpu.example/whl",)
    assert told["the index of torch became '--extra-index-url'"] == "all indexes are for all packages here"
    assert "tool.poetry.source unused left out" in told
    assert "numpy: allow-prereleases left out" in told


def test_groups_and_extras_of_poetry_are_categories() -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.11"
rich = "^13"
plotter = { version = "2", optional = true }
[tool.poetry.dev-dependencies]
black = "*"
[tool.poetry.group.dev.dependencies]
pytest = "^7"
[tool.poetry.group.all]
include-groups = ["dev", "docs"]
[tool.poetry.group.docs.dependencies]
sphinx = ">1 <9"
[tool.poetry.extras]
plots = ["Plotter"]
other = ["rich"]
"""
    found, told = read(text)
    assert found.pip == ("rich<14,>=13",)
    assert told["plotter left out"] == "it is optional"
    assert told["tool.poetry.dev-dependencies left out"] == "the group dev, which was not chosen"
    found, told = read(text, "all", "plots")
    names = [line.partition("<")[0].partition("=")[0] for line in found.pip]
    assert names == ["rich", "plotter", "pytest", "black", "sphinx"]
    left = [what for what in told if what.endswith("left out")]
    assert left == ["tool.poetry.extras.other left out"]
    with pytest.raises(SpecificationError, match="no group or extra nope"):
        read(text, "nope")


def test_several_bounds_of_one_package_keep_their_conditions() -> None:
    text = """
[tool.poetry.dependencies]
python = "^3.8"
foo = [{ version = "<=1.9", python = "<3.9" }, { version = "^2.0", python = ">=3.9", platform = "linux" }]
"""
    found, _ = read(text)
    assert found.pip == (
        'foo<=1.9; python_version < "3.9"',
        'foo<3,>=2.0; sys_platform == "linux" and python_version >= "3.9"',
    )


CONDA_LOCK = """
[project]
name = "p"
dependencies = ["numpy"]
[project.optional-dependencies]
more = ["attrs"]
[tool.poetry.dependencies]
requests = "*"
[tool.conda-lock]
channels = ["c"]
skip-non-conda-lock = SKIP
default-non-conda-source = "pip"
[tool.conda-lock.dependencies]
python = "3.11.*"
libblas = "*=*mkl"
alt = "1.2 || ^3"
post = { version = "13.7.0.post1", source = "pypi" }
here = { file = "x.conda" }
"""


def test_conda_lock_alone_is_taken_where_the_file_says_so() -> None:
    found, told = read(CONDA_LOCK.replace("SKIP", "true"))
    assert found.pip == ("post==13.7.0.post1",)
    assert found.dependencies == ("python 3.11.*", "libblas *=*mkl", "alt ==1.2|>=3,<4")
    assert told["packages of the project left out"] == "skip-non-conda-lock is set in [tool.conda-lock]"
    assert "here left out" in told
    with pytest.raises(SpecificationError, match="no group or extra more"):
        read(CONDA_LOCK.replace("SKIP", "true"), "more")
    found, told = read(CONDA_LOCK.replace("SKIP", "false"), "more")
    assert sorted(found.pip) == ["attrs", "numpy", "post==13.7.0.post1", "requests"]
    assert "packages of the project left out" not in told
    assert "dependencies of the project are taken from PyPI" in told


def test_indexes_and_groups_of_pdm_and_rye_are_carried_over() -> None:
    text = """
[project]
name = "p"
dependencies = ["rich"]
[tool.pdm.dev-dependencies]
test = ["pytest"]
docs = ["sphinx"]
[[tool.pdm.source]]
name = "pypi"
url = "https://mirror.example/simple"
verify_ssl = true
[[tool.pdm.source]]
name = "own"
url = "https://own.example/simple"
include_packages = ["own-*"]
[[tool.rye.sources]]
name = "wheels"
url = "https://rye.example/simple"
[tool.rye]
dev-dependencies = ["ruff"]
managed = true
[tool.hatch.envs.test]
dependencies = ["nox"]
[tool.ruff]
line-length = 100
"""
    found, told = read(text)
    assert found.pip == ("rich",)
    assert found.pip_options.index_url == "https://mirror.example/simple"
    assert found.pip_options.extra_index_urls == ("https://own.example/simple", "https://rye.example/simple")
    assert told["tool.pdm.dev-dependencies left out"] == "groups that were not chosen"
    assert told["tool.rye.dev-dependencies left out"] == "the group dev, which was not chosen"
    assert told["tool.hatch.envs left out"].startswith("environments of Hatch are not read")
    assert told["tool.rye.managed, tool.ruff left out"] == "settings of other tools"
    assert "tool.pdm.source own: include_packages left out" in told
    found, told = read(text, "test", "dev")
    assert found.pip == ("rich", "pytest", "ruff")
    assert told["tool.pdm.dev-dependencies.docs left out"] == "groups that were not chosen"
    assert "tool.rye.dev-dependencies left out" not in told


def test_the_index_of_one_package_is_one_for_all() -> None:
    text = """
[workspace]
name = "w"
channels = ["c"]
platforms = ["linux-64"]
[pypi-dependencies]
torch = { version = "2.1.0+cpu", index = "https://cpu.example/whl" }
vision = { version = "*", index = "https://cpu.example/whl" }
wild = "1.*"
"""
    found, told = read(text, file="pixi.toml")
    assert found.pip == ("torch==2.1.0+cpu", "vision", "wild==1.*")
    assert found.pip_options.extra_index_urls == ("https://cpu.example/whl",)
    assert "the index of torch became '--extra-index-url'" in told


def test_extras_that_exclude_one_another_are_chosen() -> None:
    text = """
[project]
name = "p"
requires-python = ">=3.11"
dependencies = ["rich"]
[project.optional-dependencies]
cpu = ["torch"]
cuda = ["torch"]
[tool.poetry.dependencies]
torch = [
  { markers = "extra == 'cpu' and extra != 'cuda'", source = "of-cpu", version = "2.1.0+cpu" },
  { markers = "extra == 'cuda' and extra != 'cpu' and sys_platform == 'linux'", version = "2.1.0+cu118" },
]
[[tool.poetry.source]]
name = "of-cpu"
url = "https://cpu.example/whl"
priority = "explicit"
"""
    found, told = read(text, "cpu")
    assert found.pip == ("rich", "torch", "torch==2.1.0+cpu")
    assert found.pip_options.extra_index_urls == ("https://cpu.example/whl",)
    assert "torch left out" in told
    found, told = read(text, "cuda")
    assert found.pip == ("rich", "torch", 'torch==2.1.0+cu118; sys_platform == "linux"')
    assert found.pip_options.extra_index_urls == ()
    found, told = read(text)
    assert found.pip == ("rich",)
    assert told["torch left out"].startswith("it is for other extras")


def test_python_of_poetry_has_any_spelling() -> None:
    found, _ = read('[tool.poetry.dependencies]\nPython = "^3.11"\nrich = "*"\n')
    assert (found.dependencies, found.pip) == (("python >=3.11,<4",), ("rich",))


@pytest.mark.parametrize("value", ['["1", "2"]', "1", "true"])
def test_bounds_that_are_no_text_are_told(value: str) -> None:
    found, told = read(f'[tool.conda-lock]\nchannels = ["c"]\n[tool.conda-lock.dependencies]\na = "1"\nb = {value}\n')
    assert found.dependencies == ("a 1",)
    assert told["b left out"] == "its bounds are neither text nor a table"
