"""The importer: real files are repaired, and each change is told."""

from __future__ import annotations

import textwrap

import pytest

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
        "name 'C:\\\\work\\\\env' became env",
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


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"\x00", b"", b"- a"])
def test_what_is_no_environment_file_is_refused(data: bytes) -> None:
    with pytest.raises(SpecificationError):
        repair(data)
