"""Values of another shape than a key takes: said as it takes them with --fix, named without."""

from __future__ import annotations

import pytest

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.repair import Repaired, repair


def way(text: str) -> tuple[Repaired, Specification]:
    repaired = repair(text, "a.yml", keep=("kernel",))
    return repaired, read_specification(repaired.text, held=repaired.held)


def told(repaired: Repaired) -> str:
    return "\n".join(f"{change.what} ({change.why})" for change in repaired.changes)


@pytest.mark.parametrize(
    ("channels", "expected", "words"),
    [
        ("channels: c", ("c",), "channels became a list: c"),
        ("channels: c, d", ("c", "d"), "channels became a list: c, d"),
        ("channels:\n  - name: c\n    priority: 1\n  - d", ("c", "d"), "list of names: c, d; priority left out"),
        ("channels:\n  - url: https://host.example/c\n", ("https://host.example/c",), "list of names"),
        ("channels:\n  -\n  - c", ("c",), "list of names: c"),
    ],
)
def test_channels_of_any_shape_become_a_list(channels: str, expected: tuple[str, ...], words: str) -> None:
    text = f"name: a\n{channels}\n# what it needs\ndependencies: [python]\n"
    repaired, found = way(text)
    assert found.channels == expected
    assert "# what it needs" in repaired.text
    assert words in told(repaired)
    with pytest.raises(SpecificationError):
        read_specification(text)


@pytest.mark.parametrize(
    ("entries", "conda", "pip"),
    [
        ("\n  python: 3.10\n  numpy: '>=1,<2'\n  x:\n  zlib: '*'", ("python=3.10", "numpy>=1,<2", "x", "zlib"), ()),
        ("\n  numpy: '>=1,<2'\n  scipy:", ("numpy>=1,<2", "scipy"), ()),
        ("\n  python: 3.10\n  pip: [rich]", ("python=3.10",), ("rich",)),
        ("\n  - python\n  -\n  - numpy", ("python", "numpy"), ()),
        ("\n  - python\n  - pip: rich", ("python",), ("rich",)),
        ("\n  - python\n  - pip: |\n      rich\n      flask>=2\n", ("python",), ("rich", "flask>=2")),
        ("\n  - python\n  - pip: {rich: 1.0}", ("python",), ("rich==1.0",)),
        ("\n  - python\n  - pip:\n      rich: 1.0\n      flask: '>=2'", ("python",), ("rich==1.0", "flask>=2")),
        ("\n  - python\n  - pip:\n    - rich\n    -\n", ("python",), ("rich",)),
        (" [python, null, {pip: rich}]", ("python",), ("rich",)),
    ],
)  # fmt: skip
def test_dependencies_of_any_shape_become_a_list(entries: str, conda: tuple[str, ...], pip: tuple[str, ...]) -> None:
    text = f"name: a\ndependencies:{entries}\nchannels: [c]\n"
    repaired, found = way(text)
    assert found.dependencies == conda
    assert found.pip == pip
    assert found.channels == ("c",)
    assert repaired.changes
    with pytest.raises(SpecificationError):
        read_specification(text)


def test_a_list_of_variables_becomes_a_mapping() -> None:
    text = "name: a\ndependencies: [python]\nvariables:\n  - A=1\n  - B=x=y\n  - C: 3\n"
    assert way(text)[1].variables == {"A": "1", "B": "x=y", "C": "3"}
    with pytest.raises(SpecificationError, match="for example: NAME: value"):
        read_specification(text)


def test_what_stands_by_reference_is_written_out_where_its_key_would_go() -> None:
    text = (
        "base: &base [python=3.10, numpy]\nshared: &shared\n  channels: [c]\n  variables: {A: 1, B: 2}\n"
        "<<: *shared\nname: a\ndependencies: *base\nvariables:\n  B: 3\n"
    )
    repaired, found = way(text)
    assert found.channels == ("c",)
    assert found.dependencies == ("python=3.10", "numpy")
    assert found.variables == {"B": "3"}  # a mapping's own key wins as a whole
    assert "what anchors ('&', '*') stand for is written out; base, shared left out" in told(repaired)
    with pytest.raises(SpecificationError, match="'<<' merges another mapping: import it"):
        read_specification(text)


def test_anchors_between_known_keys_stay_as_they_are() -> None:
    text = "name: a\nchannels: &c [x]\ndependencies:\n  - &p python=3.10\n  - pip: [rich]\ndescription: *p\n"
    repaired, found = way(text)
    assert found == read_specification(text)
    assert repaired.text == text


@pytest.mark.parametrize(
    ("entry", "line", "words"),
    [
        ("- no", 3, "'no', which is true or false to YAML"),
        ("- 3.12", 3, "'3.12', which is a number"),
        ("- [numpy]", 3, "a list stands here"),
        ("- python\n  -", 4, "nothing stands here"),
        ("- git+https://host.example/x", 3, "is for pip; write it under 'pip:'"),
        ("- rich @ https://host.example/rich-1-py3-none-any.whl", 3, "is for pip; write it under 'pip:'"),
        ("- pywin32; sys_platform == 'win32'", 3, "what stands behind ';' is for pip"),
        ("- if: win\n    then: pywin32", 3, "'if: win' is a condition; import it"),
    ],
)
def test_an_entry_that_is_no_package_is_named_with_the_way_out(entry: str, line: int, words: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        read_specification(f"name: a\ndependencies:\n  {entry}\n")
    assert caught.value.faults[0].line == line
    assert words in caught.value.faults[0].message


def test_a_name_that_is_no_text_is_one_fault() -> None:
    with pytest.raises(SpecificationError) as caught:
        read_specification("name: [a]\ndependencies: [python]\n")
    assert [fault.message for fault in caught.value.faults] == ["must be text"]
    assert "what stands there is no text" in told(way("name: [a]\ndependencies: [python]\n")[0])


COMMIT = "a" * 40
WHEEL = "https://host.example/d/en_core_web_sm-3.0.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("line", "requirement"),
    [
        (WHEEL, f"en-core-web-sm @ {WHEEL}"),
        (f"{WHEEL} ; python_version < '3.12'", f'en-core-web-sm @ {WHEEL} ; python_version < "3.12"'),
        (f"{WHEEL} --hash=sha256:{'b' * 64}", f"en-core-web-sm @ {WHEEL} --hash=sha256:{'b' * 64}"),
        (f"https://host.example/x/ore/archive/{COMMIT}.zip", f"ore @ https://host.example/x/ore/archive/{COMMIT}.zip"),
        (
            f"https://host.example/x.zip#egg=ore&sha256={'b' * 64}",
            f"ore @ https://host.example/x.zip#sha256={'b' * 64}",
        ),
    ],
)
def test_an_address_alone_has_the_name_that_its_file_has(line: str, requirement: str) -> None:
    text = f'name: a\ndependencies: [python, {{pip: ["{line}"]}}]\n'
    assert read_specification(text).pip == (requirement,)
    assert way(text)[1].pip == (requirement,)
    moved = way(f'name: a\ndependencies: [python, "{line.split(" ")[0]}"]\n')  # among conda packages
    assert len(moved[1].pip) == 1
    assert "only pip knows such a line" in told(moved[0])


@pytest.mark.parametrize(
    "line",
    [
        "https://host.example/ore-1.0.tar.gz",
        "https://host.example/x/ore/archive/master.zip",
        "https://host.example/page",
        "./local",
        "local-1.0-py3-none-any.whl",
        "file:///somewhere/x.whl",
        "git+https://host.example/x",
    ],
)
def test_a_line_for_pip_that_is_not_exact_is_dropped_by_fix_and_told(line: str) -> None:
    text = f"name: a\ndependencies:\n  - python\n  - pip:\n    - rich\n    - {line}\n"
    with pytest.raises(SpecificationError):
        read_specification(text)
    repaired, found = way(text)
    assert found.pip == ("rich",)
    assert f"pip line '{line}' dropped" in told(repaired)


def test_an_option_behind_a_requirement_gets_a_line_of_its_own() -> None:
    line = f"torch==2.2 --extra-index-url https://host.example/cpu --pre --hash=sha256:{'a' * 64}"
    text = f"name: a\ndependencies:\n  - python\n  - pip:\n    - {line}\n    - rich\n"
    with pytest.raises(SpecificationError, match="an option, as --extra-index-url, has a line of its own"):
        read_specification(text)
    repaired, found = way(text)
    assert found.pip == (f"torch==2.2 --hash=sha256:{'a' * 64}", "rich")
    assert found.pip_options.extra_index_urls == ("https://host.example/cpu",)
    assert "--pre behind torch==2.2 left out" in told(repaired)


def test_an_environment_of_mlflow_is_one_of_pypi_packages() -> None:
    text = "python: 3.8.15\nbuild_dependencies:\n- pip==21.2.4\ndependencies:\n- mlflow<3\n- scikit-learn==1.2\n"
    repaired, found = way(text)
    assert found.dependencies == ("python=3.8.15",)
    assert found.pip == ("mlflow<3", "scikit-learn==1.2")
    assert "build_dependencies left out" in told(repaired)


@pytest.mark.parametrize(
    ("entry", "expected", "words"),
    [
        ("{name: dask, extras: [complete], version: '>=2024'}", "dask >=2024", "extras left out"),
        (
            "name: pandas\n    version: 2.2.*\n    build: py*\n    channel: bioconda",
            "bioconda::pandas 2.2.* py*",
            "pandas",
        ),
        ("name: scipy", "scipy", "became lines: scipy"),
        ("{name: x, build: h1_0}", "x * h1_0", "became lines: x"),
    ],
)
def test_a_mapping_with_a_name_becomes_a_line(entry: str, expected: str, words: str) -> None:
    repaired, found = way(f"name: a\ndependencies:\n  - python\n  - {entry}\n")
    assert found.dependencies == ("python", expected)
    assert words in told(repaired)


@pytest.mark.parametrize("odd", ["  - {name: dask, version: '1'}\n", "  -\n", "  - pip: rich\n"])
def test_conditions_hold_in_a_list_whose_shape_is_mended(odd: str) -> None:
    text = f"name: a\ndependencies:\n{odd}  - python\n  - numpy # [win]\n  - scipy # [not win\n  - six # [win\n"
    repaired = repair(text, "a.yml", platform="linux-64", keep=("kernel",))
    found = read_specification(repaired.text, held=repaired.held)
    assert [name for name in ("numpy", "scipy", "six") if name in found.dependencies] == ["scipy"]
    assert "numpy left out (# [win] is not so on linux-64)" in told(repaired)
