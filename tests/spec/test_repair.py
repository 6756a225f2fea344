"""The importer: real files are repaired, and each change is told."""

from __future__ import annotations

import textwrap
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import read_specification
from jupyter_envstore.spec.repair import Repaired, repair


def fix(text: str, file_name: str = "environment.yml", **options: str) -> Repaired:
    """Repair an indented text and check that the result can be read."""
    repaired = repair(textwrap.dedent(text), file_name, platform="linux-64", **options)
    read_specification(repaired.text)
    return repaired


def test_a_good_file_stays_as_it_is() -> None:
    text = "name: a  # the name\nchannels: [conda-forge]\ndependencies:\n  - python  # any\n  - ipykernel\n"
    assert fix(text) == Repaired(text)


def test_a_full_export_from_windows_becomes_buildable_and_keeps_its_comments() -> None:
    repaired = fix(
        """\
        name: C:\\work\\env
        channels:
          - defaults
          - nodefaults
        dependencies:
          # the interpreter
          - python=3.9.7=h6244533_1
          - numpy=1.21.2=py39hfca59bb_0   # pinned
          - vs2015_runtime=14.27.29016=h5e58377_2
          - pip:
            - requests==2.26.0
        prefix: C:\\work\\env
        """
    )
    assert repaired.text == textwrap.dedent(
        """\
        name: env
        channels:
          - conda-forge
        dependencies:
          # the interpreter
          - python=3.9.7
          - ipykernel
          - numpy=1.21.2   # pinned
          - pip:
            - requests==2.26.0
        """
    )
    told = [change.what for change in repaired.changes]
    assert told == [
        "name 'C:\\work\\env' became env",
        "prefix dropped",
        "channel defaults became conda-forge",
        "channel nodefaults dropped",
        "2 build strings removed",
        "vs2015_runtime dropped",
        "ipykernel added",
    ]


def test_a_list_in_brackets_gets_its_kernel_too() -> None:
    assert "[python=3.9, ipykernel, numpy]" in fix("name: a\ndependencies: [python=3.9, numpy]\n").text


def test_build_strings_of_this_platform_stay() -> None:
    repaired = fix("name: a\ndependencies:\n  - python=3.9.7=h1_1\n  - ipykernel=1=0\n  - ld_impl_linux-64=2.35=h2\n")
    assert "python=3.9.7=h1_1" in repaired.text


def test_defaults_becomes_what_the_setting_says_or_goes_where_it_is_listed() -> None:
    assert "  - mirror\n" in fix("name: a\nchannels:\n  - defaults\ndependencies: [numpy]", defaults="mirror").text
    text = fix("name: a\nchannels: [conda-forge, defaults]\ndependencies: [numpy]").text
    assert read_specification(text).channels == ("conda-forge",)


def test_a_file_without_a_name_gets_that_of_the_file() -> None:
    assert fix("dependencies:\n  - numpy\n", "some folder/my stack.yml").text.startswith("name: my-stack\n")


def test_requirements_become_pip_packages() -> None:
    repaired = fix("# tools\nrequests>=2\nrich  # pretty\n", "requirements.txt")
    specification = read_specification(repaired.text)
    assert specification.pip == ("requests>=2", "rich")
    assert any(spec.startswith("python") for spec in specification.dependencies)


def test_an_explicit_list_becomes_an_exact_lockfile() -> None:
    lines = ["# platform: linux-64", "@EXPLICIT", "https://host.example/c/linux-64/a-b-1.0-h1_0.conda#" + "0" * 32]
    specification = read_specification(fix("\n".join(lines), "spec.txt").text)
    assert specification.lockfile is not None
    entry = specification.lockfile["package"][0]
    assert (entry["name"], entry["version"], entry["platform"]) == ("a-b", "1.0", "linux-64")


def test_an_explicit_list_without_hashes_is_refused_with_the_way_out() -> None:
    with pytest.raises(SpecificationError, match="conda list --explicit --md5"):
        repair("@EXPLICIT\nhttps://host.example/c/linux-64/a-1.0-0.conda", "spec.txt")


def test_a_pixi_project_is_read() -> None:
    repaired = fix(
        """\
        [workspace]
        name = "ocean"
        channels = ["conda-forge"]
        platforms = ["linux-64", "osx-arm64"]
        [dependencies]
        python = "3.12.*"
        gsw = { version = ">=3.6", channel = "bioconda" }
        [pypi-dependencies]
        cowsay = ">=6"
        mine = { path = "." }
        [activation.env]
        DEPTH = "5"
        """,
        "pixi.toml",
    )
    specification = read_specification(repaired.text)
    assert specification.dependencies[0] == "python 3.12.*"
    assert "bioconda::gsw >=3.6" in specification.dependencies
    assert specification.pip == ("cowsay>=6",)
    assert specification.variables == {"DEPTH": "5"}
    assert any("mine left out" in change.what for change in repaired.changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\ndependencies:\n  - numpy\n", "---\nname: environment\ndependencies:\n  - numpy\n"),
        (
            "name: >\n  /x/y\ndependencies: [numpy]\nprefix:\n  /a/long/path\n",
            "name: y\ndependencies: [numpy]\n",
        ),
        (
            "name: a\nchannels: [my-defaults, defaults]\ndependencies: [numpy]\n",
            "name: a\nchannels: [my-defaults, conda-forge]\ndependencies: [numpy]\n",
        ),
        (
            "{name: defaults, channels: [defaults], dependencies: [numpy]}\n",
            "{name: defaults, channels: [conda-forge], dependencies: [numpy]}\n",
        ),
        ('{"dependencies": ["numpy"]}\n', '{name: environment, "dependencies": ["numpy"]}\n'),
        (
            "name: a\nchannels: [nodefaults, conda-forge, defaults]\ndependencies: [numpy]\n",
            "name: a\nchannels: [conda-forge]\ndependencies: [numpy]\n",
        ),
        (
            "name: a\nchannels: ['defaults']\ndependencies: [numpy]\n",
            "name: a\nchannels: ['conda-forge']\ndependencies: [numpy]\n",
        ),
        (
            "name: a\ndependencies:\n  - numpy\n  - pip:\n    - -e git+https://host.example/x\n    - rich\n",
            "name: a\ndependencies:\n  - numpy\n  - pip:\n    - rich\n",
        ),
        (
            "name: a\ndependencies:\n  - numpy\n  - pip:\n    - mine @ file:///C:/mine\n",
            "name: a\ndependencies:\n  - numpy\n",
        ),
        (
            "name: a\ndependencies:\n  - numpy=1=py39_0\n  - comtypes\nprefix: D:/envs/u\n",
            "name: a\ndependencies:\n  - numpy=1\n",
        ),
    ],
)
def test_only_what_must_change_is_changed(text: str, expected: str) -> None:
    assert fix(text).text == expected


NAMES = st.sampled_from(["a", "defaults", "my-defaults", "C:\\x\\y", "/x/y", "x y", "nodefaults"])
CHANNELS = st.lists(st.sampled_from(["conda-forge", "defaults", "nodefaults", "my-defaults"]), max_size=3, unique=True)


@given(NAMES | st.none(), CHANNELS, st.booleans(), st.booleans(), st.sampled_from(["", "---\n", "# head\n\n"]))
def test_a_file_reads_well_after_it_was_repaired(
    name: str | None, channels: list[str], prefix: bool, flow: bool, head: str
) -> None:
    data = {
        **({"name": name} if name else {}),
        "channels": channels,
        "dependencies": ["python=3.9=h1_0", "vc", "numpy"],
    }
    if prefix:
        data["prefix"] = "C:\\envs\\x"
    text = head + yaml.safe_dump(data, default_flow_style=flow, sort_keys=False)
    repaired = repair(text, "some.yml", platform="linux-64")
    found = read_specification(repaired.text)
    assert found.dependencies[:2] == ("python=3.9" if prefix else "python=3.9=h1_0", "ipykernel")
    assert ("vc" in found.dependencies) is not prefix
    assert "defaults" not in found.channels
    assert repair(repaired.text, "some.yml", platform="linux-64") == Repaired(repaired.text)


def test_a_file_of_powershell_and_what_conda_lists_are_read() -> None:
    repaired = repair("name: a\r\ndependencies:\r\n  - numpy\r\n".encode("utf-16"))
    assert read_specification(repaired.text).dependencies == ("numpy",)
    listed = "# This file may be used to create an environment using:\nnumpy=1.21=py39_0\nrich=13=pypi_0\n"
    found = read_specification(repair(listed, "packages.txt", platform="linux-64").text)
    assert (found.dependencies, found.pip) == (("numpy=1.21=py39_0",), ("rich==13",))


def test_what_conversion_loses_is_told() -> None:
    repaired = fix(
        """\
        [workspace]
        name = "x"
        [dependencies]
        python = "*"
        local = { path = "pkgs/local" }
        numpy = { version = ">=1", subdir = "linux-64" }
        [host-dependencies]
        cmake = "*"
        [pypi-options]
        extra-index-urls = ["https://host.example/simple"]
        no-build = true
        [activation]
        scripts = ["x.sh"]
        """,
        "pixi.toml",
    )
    told = " ".join(change.what for change in repaired.changes)
    for words in ("local left out", "numpy: subdir left out", "host-dependencies", "no-build left out", "scripts"):
        assert words in told
    assert "--extra-index-url https://host.example/simple" in repaired.text


def test_the_system_requirements_of_a_pixi_project_are_kept() -> None:
    repaired = fix(
        """
        [workspace]
        channels = ["conda-forge"]
        [system-requirements]
        cuda = "12.4"
        libc = { family = "glibc", version = "2.28" }
        archspec = "x86_64_v3"
        [dependencies]
        python = "*"
        """,
        "pixi.toml",
    )
    assert read_specification(repaired.text).system_requirements == {"cuda": "12.4", "glibc": "2.28"}
    assert "system-requirements.archspec left out" in " ".join(change.what for change in repaired.changes)


def test_our_own_explicit_list_keeps_its_pypi_packages() -> None:
    lines = ["@EXPLICIT", "https://host.example/c/noarch/a-1.0-h1_0.conda#" + "0" * 32]
    lines += [
        "# from PyPI, with: pip install --no-deps",
        f"# pip rich @ https://host.example/rich-13-py3-none-any.whl#sha256={'1' * 64}",
    ]
    found = read_specification(fix("\n".join(lines), "list.txt").text).lockfile
    assert found is not None
    assert [(entry["manager"], entry["name"], entry["version"]) for entry in found["package"]] == [
        ("conda", "a", "1.0"),
        ("pip", "rich", "13"),
    ]
    assert {entry["platform"] for entry in found["package"]} == {"linux-64"}


@pytest.mark.parametrize(
    "text",
    [
        'workspace = "x"',
        'dependencies = ["python"]',
        "[dependencies]\na=1\n[project]\nchannels=[{x=1}]",
        "[tool]\npixi=1",
    ],
)
def test_a_pixi_file_with_wrong_types_is_refused(text: str) -> None:
    with pytest.raises(SpecificationError):
        repair(text, "pixi.toml")


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"\x00", b"", b"- a"])
def test_what_is_no_environment_file_is_refused(data: bytes) -> None:
    with pytest.raises(SpecificationError):
        repair(data)


def test_a_comment_that_only_begins_with_pip_is_no_package() -> None:
    line = "https://example.org/conda-forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda#sha256:" + "0" * 64
    repaired = repair(f"@EXPLICIT\n# pip foo bar\n{line}\n", "explicit.txt")
    assert "foo" not in repaired.text


def test_a_long_pip_comment_takes_no_longer_than_its_length() -> None:
    started = time.monotonic()
    with pytest.raises(SpecificationError, match="the list is empty"):
        repair("@EXPLICIT\n# pip " + "a@" * 100_000, "explicit.txt")
    assert time.monotonic() - started < 5
