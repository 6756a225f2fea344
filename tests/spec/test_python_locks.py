"""Locks of Python's tools, ``pylock.toml`` and ``uv.lock``: their packages with their hashes, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.converting.draft import ChoiceError, Pick
from jupyter_envstore.spec.converting.lock_markers import Chosen, any_of_all, remaining
from jupyter_envstore.spec.repair import Repaired, repair
from tests.helpers import Store

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def sha(letter: str) -> str:
    return letter * 64


PYLOCK = f"""\
lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = ">=3.10"
extras = ["plots"]
dependency-groups = ["dev", "docs", "demo-default"]
default-groups = ["demo-default"]
created-by = "pip"

[[packages]]
name = "attrs"
version = "25.1.0"
requires-python = ">=3.8"
index = "https://index.example/simple"
wheels = [
  {{ name = "attrs-25.1.0-py3-none-any.whl", upload-time = 2025-01-25T11:30:10.164985+00:00,
     url = "https://files.example/attrs-25.1.0-py3-none-any.whl", size = 63152, hashes = {{ sha256 = "{sha("a")}" }} }},
]
[[packages.attestation-identities]]
environment = "release-pypi"
kind = "GitHub"

[[packages]]
name = "numpy"
version = "1.26.4"
index = "https://index.example/simple"
sdist = {{ url = "https://files.example/numpy-1.26.4.tar.gz", hashes = {{ sha256 = "{sha("b")}" }} }}
wheels = [
  {{ url = "https://files.example/numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
     hashes = {{ sha256 = "{sha("c")}" }} }},
  {{ url = "https://files.example/numpy-1.26.4-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
     hashes = {{ sha256 = "{sha("d")}", md5 = "x" }} }},
  {{ url = "https://files.example/numpy-1.26.4-cp313-cp313-win_amd64.whl", hashes = {{ sha256 = "{sha("e")}" }} }},
]

[[packages]]
name = "colorama"
version = "0.4.6"
marker = "sys_platform == 'win32' and ('demo-default' in dependency_groups or 'dev' in dependency_groups)"
wheels = [{{ url = "https://files.example/colorama-0.4.6-py2.py3-none-any.whl", hashes = {{ sha256 = "{sha("f")}" }} }}]

[[packages]]
name = "plotter"
version = "3"
marker = "'Plots' in extras"
wheels = [{{ name = "plotter-3-py3-none-any.whl", url = "https://files.example/x?id=7",
             hashes = {{ sha512 = "{sha("0")}" }} }}]
sdist = {{ url = "https://files.example/plotter-3.tar.gz", hashes = {{ sha512 = "{sha("0")}" }} }}

[[packages]]
name = "pytest"
version = "9.0.0"
marker = "'dev' in dependency_groups"
index = "https://index.example/simple"
wheels = [{{ url = "https://files.example/pytest-9.0.0-py3-none-any.whl", hashes = {{ sha256 = "{sha("1")}" }} }}]

[[packages]]
name = "repository"
vcs = {{ type = "git", url = "https://host.example/a/repository", requested-revision = "main",
         commit-id = "{COMMIT}", subdirectory = "python" }}

[[packages]]
name = "archived"
archive = {{ url = "https://host.example/archived.zip", hashes = {{ sha256 = "{sha("2")}" }}, subdirectory = "lib" }}

[[packages]]
name = "demo"
directory = {{ path = ".", editable = true }}

[[packages]]
name = "vendored"
version = "1"
wheels = [{{ path = "./vendored-1-py3-none-any.whl", hashes = {{ sha256 = "{sha("3")}" }} }}]

[[packages]]
name = "odd"
version = "1"
marker = "'docs' in dependency_groups"
shape = "round"
index = "https://index.example/simple"
wheels = [{{ url = "https://files.example/odd-1-py3-none-any.whl", hashes = {{ sha256 = "{sha("4")}" }} }}]

[tool.pip]
more = 1
"""


def read(text: str, name: str, *categories: str, environment: str = "", platform: str = "linux-64") -> Repaired:
    """Read a lock for a platform."""
    return repair(text, f"proj/{name}", platform=platform, pick=Pick(environment, categories))


def lines(repaired: Repaired) -> list[str]:
    """Return the lines for pip; the text has no fault."""
    read_specification(repaired.text, held=repaired.held)
    entry: Any = yaml.safe_load(repaired.text)["dependencies"][-1]
    return [str(line) for line in entry["pip"]]


def told(repaired: Repaired) -> str:
    """Return all that is told."""
    return "\n".join(f"{change.what} ({change.why})" for change in repaired.changes)


def test_a_pylock_is_carried_over_with_the_hashes_of_its_files() -> None:
    found = read(PYLOCK, "pylock.toml")
    assert lines(found) == [
        "--index-url https://index.example/simple",
        f"attrs==25.1.0 --hash=sha256:{sha('a')}",
        "numpy==1.26.4 " + " ".join(f"--hash=sha256:{sha(letter)}" for letter in "cdeb"),
        f"colorama @ https://files.example/colorama-0.4.6-py2.py3-none-any.whl#sha256={sha('f')}"
        " ; sys_platform == 'win32'",
        f"repository @ git+https://host.example/a/repository@{COMMIT}#subdirectory=python",
        f"archived @ https://host.example/archived.zip#sha256={sha('2')}&subdirectory=lib",
    ]
    assert yaml.safe_load(found.text)["name"] == "proj"
    assert yaml.safe_load(found.text)["dependencies"][0] == "python >=3.10,<3.13"
    assert (found.offer.categories, found.offer.taken) == (("plots", "dev", "docs"), ())


def test_what_a_pylock_has_and_is_left_out_is_told() -> None:
    found = told(read(PYLOCK, "pylock.toml"))
    for words in (
        "plots, dev, docs left out (extras and groups that were not chosen",
        "environments sys_platform == 'linux' left out",
        "demo left out (it lies on one machine",
        "vendored left out (it lies on one machine",
        "python <3.13 added (no wheel of numpy in the lock is for a newer one)",
        "5 packages pinned (Python is solved for",
        "tool left out (settings of other tools)",
    ):
        assert words in found


def test_a_lock_of_pip_has_one_file_of_each_package_and_is_for_the_python_of_its_files() -> None:
    folder = f"https://files.example/packages/7a/3e/{'9' * 60}"
    wheel = "numpy-1.26.4-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    text = f"""\
lock-version = "1.0"
created-by = "pip"

[[packages]]
name = "numpy"
version = "1.26.4"

[[packages.wheels]]
name = "{wheel}"
url = "{folder}/{wheel}"

[packages.wheels.hashes]
sha256 = "{sha("a")}"
"""
    mirrored = read(text.replace(folder, "file:///mirror"), "pylock.toml")
    assert lines(mirrored) == [f"numpy==1.26.4 --hash=sha256:{sha('a')}"]
    assert "numpy taken by its name and hash (its address is of one machine)" in told(mirrored)
    found = read(text, "pylock.toml")
    assert lines(found) == [f"numpy==1.26.4 --hash=sha256:{sha('a')}"]
    assert yaml.safe_load(found.text)["dependencies"][0] == "python <3.12"
    assert found.offer.categories == ()


def test_extras_and_groups_of_a_pylock_are_chosen() -> None:
    found = read(PYLOCK, "pylock.toml", "plots", "dev")
    assert f"pytest==9.0.0 --hash=sha256:{sha('1')}" in lines(found)
    assert "colorama @" in " ".join(lines(found))  # of the default group, which is what the project itself needs
    assert found.offer.taken == ("plots", "dev")
    assert "plotter==3" in lines(found)
    assert "hashes of plotter left out (only SHA-256 is checked here)" in told(found)
    assert "odd: shape left out" in told(read(PYLOCK, "pylock.toml", "docs"))
    with pytest.raises(ChoiceError, match=r"no extra or group test$"):
        read(PYLOCK, "pylock.toml", "test")
    with pytest.raises(SpecificationError, match="no environment 'gpu'"):
        read(PYLOCK, "pylock.toml", environment="gpu")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('lock-version = "2.0"\npackages = []\n', "version '2.0' is not known; version 1.0 is"),
        ('lock-version = "1.0"\npackages = []\n', "nothing is left of the 0 packages"),
        ('lock-version = "1.0"\npackages = 3\n', "packages must be a list of tables"),
        ('lock-version = "1.0"\n[[packages]]\nversion = "1"\n', "has no name"),
        ('lock-version = "1.0"\n[[packages]]\nname = "a"\nmarker = "x ="\n', "a: 'x =' is no marker"),
        (
            'lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1"\nwheels = [{url = "https://h.example/a.whl"}]\n',
            "a.whl has no hashes in the lock",
        ),
    ],
)
def test_a_pylock_that_cannot_be_followed_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=words):
        read(text, "pylock.toml")


OLD, NEW = (f"marker = \"python_full_version {bound} '3.11'\"" for bound in ("<", ">="))
UV = f"""\
version = 1
revision = 3
requires-python = ">=3.10"
resolution-markers = ["python_full_version >= '3.11'", "python_full_version < '3.11'"]

[options]
exclude-newer = "2026-11-01T00:00:00Z"
prerelease-mode = "allow"

[manifest]
members = ["demo", "helper"]

[[package]]
name = "click"
version = "8.3.0"
source = {{ registry = "https://index.example/simple" }}
dependencies = [{{ name = "colorama", marker = "sys_platform == 'win32'" }}]
sdist = {{ url = "https://files.example/click-8.3.0.tar.gz", hash = "sha256:{sha("a")}", size = 1 }}
wheels = [{{ url = "https://files.example/click-8.3.0-py3-none-any.whl", hash = "sha256:{sha("b")}", size = 1 }}]

[[package]]
name = "colorama"
version = "0.4.6"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/colorama-0.4.6-py3-none-any.whl", hash = "sha256:{sha("c")}" }}]

[[package]]
name = "demo"
version = "0.1"
source = {{ editable = "." }}
dependencies = [
    {{ name = "fork", version = "1.0", source = {{ registry = "https://index.example/simple" }}, {OLD} }},
    {{ name = "fork", version = "2.0", source = {{ registry = "https://other.example/simple" }}, {NEW} }},
    {{ name = "helper" }},
    {{ name = "server", extra = ["standard"] }},
    {{ name = "tool" }},
]

[package.optional-dependencies]
cpu = [{{ name = "torch", marker = "extra == 'extra-4-demo-cpu'" }}]

[package.dev-dependencies]
dev = [{{ name = "pytest" }}]

[package.metadata]
requires-dist = [{{ name = "tool" }}]

[[package]]
name = "fork"
version = "1.0"
source = {{ registry = "https://index.example/simple" }}
dependencies = [{{ name = "leaf" }}]
wheels = [{{ url = "https://files.example/fork-1.0-py3-none-any.whl", hash = "sha256:{sha("d")}" }}]

[[package]]
name = "fork"
version = "2.0"
source = {{ registry = "https://other.example/simple" }}
dependencies = [{{ name = "leaf" }}]
wheels = [{{ url = "https://files.example/fork-2.0-py3-none-any.whl", hash = "sha256:{sha("e")}" }}]

[[package]]
name = "helper"
version = "0"
source = {{ editable = "packages/helper" }}
dependencies = [{{ name = "cycle" }}]

[[package]]
name = "cycle"
version = "1"
source = {{ git = "https://host.example/cycle?subdirectory=src&rev=main#{COMMIT}" }}
dependencies = [{{ name = "cycle" }}, {{ name = "leaf" }}]

[[package]]
name = "leaf"
version = "5"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/leaf-5-cp39-abi3-macosx_11_0_universal2.whl", hash = "sha256:{sha("f")}" }}]

[[package]]
name = "loop"
version = "1"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/loop-1-py3-none-any.whl", hash = "sha256:{sha("1")}" }}]

[[package]]
name = "pytest"
version = "9"
source = {{ registry = "https://index.example/simple" }}
dependencies = [{{ name = "colorama", marker = "sys_platform == 'win32'" }}]
wheels = [{{ url = "https://files.example/pytest-9-py3-none-any.whl", hash = "sha256:{sha("2")}" }}]

[[package]]
name = "server"
version = "1"
source = {{ registry = "https://index.example/simple" }}
dependencies = [{{ name = "click", marker = "implementation_name != 'pypy' or python_full_version < '3.12'" }}]
wheels = [{{ url = "https://files.example/server-1-py3-none-any.whl", hash = "sha256:{sha("3")}" }}]

[package.optional-dependencies]
standard = [{{ name = "loop", marker = "sys_platform != 'win32'" }}]

[[package]]
name = "tool"
version = "1"
source = {{ path = "../tool-1-py3-none-any.whl" }}
wheels = [{{ filename = "tool-1-py3-none-any.whl", hash = "sha256:{sha("4")}" }}]

[[package]]
name = "torch"
version = "2"
source = {{ url = "https://files.example/torch-2-py3-none-any.whl" }}
wheels = [{{ url = "https://files.example/torch-2-py3-none-any.whl", hash = "sha256:{sha("5")}" }}]

[[package]]
name = "unneeded"
version = "1"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/unneeded-1-py3-none-any.whl", hash = "sha256:{sha("6")}" }}]
"""


def test_what_a_project_of_a_uv_lock_needs_is_carried_over_with_its_conditions() -> None:
    found = read(UV, "uv.lock")
    assert lines(found) == [
        "--index-url https://index.example/simple",
        "--extra-index-url https://other.example/simple",
        "click==8.3.0 ; implementation_name != 'pypy' or python_full_version < '3.12' "
        f"--hash=sha256:{sha('b')} --hash=sha256:{sha('a')}",
        "colorama==0.4.6 ; (implementation_name != 'pypy' or python_full_version < '3.12') and sys_platform == 'win32' "
        f"--hash=sha256:{sha('c')}",
        f"fork==1.0 ; python_full_version < '3.11' --hash=sha256:{sha('d')}",
        f"fork==2.0 ; python_full_version >= '3.11' --hash=sha256:{sha('e')}",
        f"cycle @ git+https://host.example/cycle@{COMMIT}#subdirectory=src",
        f"leaf==5 --hash=sha256:{sha('f')}",
        f"loop==1 ; sys_platform != 'win32' --hash=sha256:{sha('1')}",
        f"server==1 --hash=sha256:{sha('3')}",
    ]
    assert yaml.safe_load(found.text)["name"] == "demo"
    assert found.exclude_newer == "2026-11-01T00:00:00Z"
    for words in (
        "project demo of 2 taken (others: helper)",
        "cpu, dev left out (extras and groups that were not chosen",
        "tool left out (it lies on one machine",
        "options.prerelease-mode left out (they say how versions were chosen)",
        "https://index.example/simple, https://other.example/simple named for all packages",
    ):
        assert words in told(found)


def test_projects_extras_and_groups_of_a_uv_lock_are_chosen() -> None:
    chosen = lines(read(UV, "uv.lock", "cpu", "dev"))
    assert f"torch @ https://files.example/torch-2-py3-none-any.whl#sha256={sha('5')}" in chosen
    assert f"pytest==9 --hash=sha256:{sha('2')}" in chosen
    assert f"colorama==0.4.6 ; sys_platform == 'win32' --hash=sha256:{sha('c')}" in chosen
    helper = read(UV, "uv.lock", environment="helper")
    assert [line.split(" ")[0].split("==")[0] for line in lines(helper)[1:]] == ["cycle", "leaf"]
    assert helper.offer.environments == ("demo", "helper")
    with pytest.raises(ChoiceError, match=r"no project 'x'$"):
        read(UV, "uv.lock", environment="x")
    with pytest.raises(ChoiceError, match=r"demo has no extra or group x$"):
        read(UV, "uv.lock", "x")


def test_the_lock_of_a_script_needs_what_the_script_does() -> None:
    start = UV.index('[[package]]\nname = "leaf"')
    text = f"""\
version = 1
requires-python = ">=3.12"
[manifest]
requirements = [{{ name = "leaf", specifier = ">=5" }}]
{UV[start:]}"""
    found = read(text, "script.py.lock")
    assert lines(found) == ["--index-url https://index.example/simple", f"leaf==5 --hash=sha256:{sha('f')}"]
    assert yaml.safe_load(found.text)["dependencies"][0] == "python >=3.12"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = 2\nrevision = 1\npackage = []\n", "uv.lock of version '2' is not known"),
        ("version = 1\nrequires-python = '>=3.12'\n", "uv.lock asks for no packages"),
        ("version = 1\nrevision = 1\n[[package]]\nname = 'a'\nsource = {virtual = '.'}\n", "asks for no packages"),
    ],
)
def test_a_uv_lock_that_cannot_be_followed_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(SpecificationError, match=words):
        read(text, "uv.lock")


def test_wheels_of_another_machine_say_nothing_about_python() -> None:
    for platform, bound in {"win-64": "<3.14", "osx-arm64": "", "linux-64": "<3.13"}.items():
        python = yaml.safe_load(read(PYLOCK, "pylock.toml", platform=platform).text)["dependencies"][0]
        assert python == f"python >=3.10{',' + bound if bound else ''}"


ATOMS = (
    "os_name == 'nt'",
    "python_version < '3.12'",
    "python_version >= '3.12'",
    "'a' in extras",
    "'b' not in dependency_groups",
)


@st.composite
def markers(draw: st.DrawFn, depth: int = 0) -> str:
    """Markers with sets of names in them."""
    parts = [
        draw(st.sampled_from(ATOMS) if depth > 1 else st.sampled_from(ATOMS) | markers(depth=depth + 1))
        for _ in range(draw(st.integers(1, 3)))
    ]
    return f"({draw(st.sampled_from([' and ', ' or '])).join(parts)})"


@given(markers(), st.booleans(), st.booleans(), st.sampled_from(["3.11", "3.12"]), st.sampled_from(["nt", "posix"]))
def test_what_is_left_of_a_marker_holds_where_it_did(marker: str, a: bool, b: bool, python: str, system: str) -> None:
    chosen = Chosen.of(["A"] if a else [], ["B"] if b else [])
    values = {"python_version": python, "os_name": system}
    words = {"'a' in extras": a, "'b' not in dependency_groups": not b}
    plain = marker
    for word, holds in words.items():
        plain = plain.replace(word, "os_name != ''" if holds else "os_name == ''")
    left = remaining(marker, chosen)
    assert (left is not None and (not left or Marker(left).evaluate(values))) == Marker(plain).evaluate(values)


@given(
    st.lists(st.lists(st.sampled_from(ATOMS[:3]), max_size=3), min_size=1, max_size=4),
    st.sampled_from(["3.11", "3.12"]),
    st.sampled_from(["nt", "posix"]),
)
def test_several_ways_to_a_package_are_one_marker(ways: list[list[str]], python: str, system: str) -> None:
    values = {"python_version": python, "os_name": system}
    joined = any_of_all(ways)
    expected = any(all(Marker(marker).evaluate(values) for marker in way) for way in ways)
    assert (not joined or Marker(joined).evaluate(values)) == expected


@pytest.mark.parametrize("text", ["(" * 2000, "os_name ==", "os_name == 'x' and", "a b", "'x' in extras)", ""])
def test_what_is_no_marker_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no marker"):
        remaining(text, Chosen())


COWSAY = "274b1e6fc1b966d53976333eb90ac94cb07a450a700b455af9fbdf882244b30a"


def test_an_environment_is_built_of_a_pylock_with_its_hash_checked(store: Store, channel: str) -> None:
    text = f"""\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.10"
[[packages]]
name = "cowsay"
version = "6.1"
sdist = {{ url = "https://files.example/cowsay-6.1.tar.gz", hashes = {{ sha256 = "{sha("0")}" }} }}
wheels = [{{ url = "https://files.example/cowsay-6.1-py3-none-any.whl", hashes = {{ sha256 = "DIGEST" }} }}]
"""
    channels = f"channels: ['{channel}']\n"
    built = read(text.replace("DIGEST", COWSAY), "pylock.toml")
    view = store.build(built.text + channels)
    assert view["status"] == "COMPLETED", view["reason"]
    assert list(Path(view["prefix"]).glob("lib/python*/site-packages/cowsay/__init__.py"))
    other = read(text.replace("DIGEST", sha("9")), "pylock.toml")
    view = store.build(other.text + channels)
    assert view["status"] == "FAILED"
    assert "cowsay 6.1: the file has another hash than the specification gives" in view["reason"]


@pytest.mark.parametrize("source", ["directory", "editable", "virtual", "path"])
def test_folders_beside_a_uv_lock_that_are_needed_are_told(source: str) -> None:
    """They are not installed; what they need is."""
    file = "lib" if source != "path" else "lib.whl"
    text = f"""\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "1"
source = {{ editable = "." }}
dependencies = [{{ name = "lib" }}, {{ name = "rich" }}]

[[package]]
name = "lib"
version = "1"
source = {{ {source} = "{file}" }}
dependencies = [{{ name = "attrs" }}]

[[package]]
name = "unneeded"
version = "1"
source = {{ {source} = "unneeded" }}

[[package]]
name = "rich"
version = "13"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/rich-13-py3-none-any.whl", hash = "sha256:{sha("a")}" }}]

[[package]]
name = "attrs"
version = "25"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://files.example/attrs-25-py3-none-any.whl", hash = "sha256:{sha("b")}" }}]
"""
    repaired = read(text, "uv.lock", environment="app")
    assert sorted(line.partition("==")[0] for line in lines(repaired) if not line.startswith("-")) == ["attrs", "rich"]
    told = [change.what for change in repaired.changes]
    assert told.count("lib left out") == 1
    assert "unneeded left out" not in told
    assert "app left out" not in told
