"""Files that were written for other tools: conditions, keys, files beside, lines for pip."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.included_files import FilesBeside
from jupyter_envstore.spec.repair import repair
from jupyter_envstore.spec.selectors import evaluate, selector_behind

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def mended(
    text: str, file_name: str = "a/environment.yml", folder: Path | None = None, platform: str = "linux-64"
) -> tuple[Specification, str]:
    """Repair an indented text; return what it says then, and all that was told."""
    beside = FilesBeside(folder) if folder else None
    repaired = repair(textwrap.dedent(text), file_name, platform=platform, beside=beside)
    told = "\n".join(f"{change.what} ({change.why})" for change in repaired.changes)
    return read_specification(repaired.text, platform=platform), told


@pytest.mark.parametrize(
    ("condition", "platform", "expected"),
    [
        ("osx64", "linux-64", False),
        ("osx64", "osx-64", True),
        ("osx64", "osx-arm64", False),
        ("win", "linux-64", False),
        ("linux", "linux-64", True),
        ("not win", "linux-64", True),
        ("unix", "osx-arm64", True),
        ("unix", "win-64", False),
        ("x86_64", "linux-64", True),
        ("arm64", "osx-arm64", True),
        ("arm64", "linux-64", False),
        ("linux and aarch64", "linux-aarch64", True),
        ("linux and aarch64", "linux-64", False),
        ("osx or (linux and x86_64)", "linux-64", True),
        ('target_platform == "linux-64"', "linux-64", True),
        ('target_platform != "linux-64"', "linux-64", False),
        ("py>=38", "linux-64", None),
        ("win and py>=38", "linux-64", False),
        ("linux or gpu", "linux-64", True),
        ("gpu", "linux-64", None),
        ("linux and gpu", "linux-64", None),
        ("__import__('os')", "linux-64", None),
        ("linux.x", "linux-64", None),
        ("win-64", "linux-64", False),
        ("win-64", "win-64", True),
        ("not osx-arm64", "linux-64", True),
        ("linux-64 or osx-arm64", "osx-arm64", True),
        ("linux_aarch64", "linux-aarch64", True),
        ("linux-32", "linux-64", False),
        ("gpu-64", "linux-64", None),
        ("macos", "osx-64", True),
        ("Windows", "linux-64", False),
        ("linux && !aarch64", "linux-64", True),
        ("osx || win", "linux-64", False),
        ("linux, osx", "linux-64", True),
        ("win, osx", "linux-64", False),
        ("linux, x86_64", "linux-64", None),
        ("false", "linux-64", False),
        ('subdir == "win-64"', "linux-64", False),
        ('target_platform in ("linux-64", "osx-64")', "linux-64", True),
        ("sys_platform == 'win32'", "linux-64", False),
        ("platform_system != 'Windows'", "linux-64", True),
        ("platform_machine == 'arm64'", "linux-64", None),
        ("(" * 150, "linux-64", None),
        ("linux win", "linux-64", None),
    ],
)
def test_a_condition_holds_on_a_platform_or_not_or_nobody_knows(
    condition: str, platform: str, expected: bool | None
) -> None:
    assert evaluate(condition, platform) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("py>=38", True),
        ("py<310", True),
        ("py>=310", False),
        ("py==39", True),
        ("py39", True),
        ("py3k", True),
        ("py27", False),
    ],
)
def test_a_condition_on_python_holds_for_the_version_that_is_asked_for(condition: str, expected: bool) -> None:
    assert evaluate(condition, "linux-64", (3, 9)) is expected


CONDITIONS = """\
name: a
channels: [conda-forge]
dependencies:
  - python=3.9  # any
  - ipykernel
  - clang_osx-64  # [osx64]
  - pywin32       # [win]
  - gcc_linux-64  # [linux and x86_64]
  - old           # [py<38]
  - maybe         # [gpu]
  - prose         # see [1]
  - pip:
    - wmi         # [win]
    - rich
"""


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("# [win]", "win"),
        ("#[win]", "win"),
        ("# [win] since it speaks COM", "win"),
        ("# since it speaks COM [win]", "win"),
        ("#  [ not win ]  ", "not win"),
        ("# [gpu] nodes", "gpu"),
        ("# [1]", None),
        ("# see [docs]", None),
        ("# win", None),
        ("", None),
    ],
)
def test_a_condition_is_known_in_a_comment(comment: str, expected: str | None) -> None:
    assert selector_behind(f"numpy  {comment}\nscipy # [osx]\n", len("numpy")) == expected


def test_conditions_in_comments_are_resolved_for_the_platform_and_told() -> None:
    found, told = mended(CONDITIONS)
    assert found.dependencies == ("python=3.9", "ipykernel", "gcc_linux-64", "maybe", "prose")
    assert found.pip == ("rich",)
    for words in ("clang_osx-64 left out (# [osx64] is not so on linux-64)", "pywin32 left", "old left", "wmi left"):
        assert words in told
    assert len(found.notes) == 1
    assert "maybe (line 7) kept though [gpu] behind it is not understood" in found.notes[0]
    assert mended(CONDITIONS, platform="win-64")[0].pip == ("wmi", "rich")


def test_a_text_that_is_read_as_it_is_says_which_conditions_it_does_not_follow() -> None:
    found = read_specification(CONDITIONS, platform="linux-64")
    assert "clang_osx-64" in found.dependencies
    notes = "\n".join(found.notes)
    for words in ("clang_osx-64 (line 6)", "pywin32 (line 7), wmi (line 13) kept though [win]", "[py<38]", "[gpu]"):
        assert words in notes
    assert "gcc" not in notes
    assert "prose" not in notes
    assert Specification.from_json(found.to_json()).sha256 == found.sha256


def test_where_several_platforms_are_wanted_the_one_that_it_is_built_on_decides() -> None:
    found, told = mended("platforms: [osx-arm64]\ndependencies:\n  - a  # [linux]\n  - b  # [osx]\n  - c\n")
    assert found.dependencies == ("a", "c")
    assert "b left out (# [osx] is not so on linux-64, where it is built (otherwise on osx-arm64))" in told
    assert "a (line 4) kept though [linux] behind it is not so on osx-arm64" in found.notes[0]


@pytest.mark.parametrize("flow", [False, True])
def test_conditions_that_are_keys_are_resolved(flow: bool) -> None:
    block = """\
    dependencies:
      - numpy
      - sel(linux): gcc
      - sel(win): vs2019
      - sel(unix):
          - make
          - sed >=4
          - pip: [sh]
      - sel(not linux): clang
      - pip:
          - rich
    """
    inline = (
        "dependencies: [numpy, {sel(linux): gcc}, {sel(win): vs2019}, {sel(unix): [make, sed >=4, {pip: [sh]}]}, "
        "{sel(not linux): clang}, {pip: [rich]}]\n"
    )
    found, told = mended(inline if flow else block)
    assert found.dependencies == ("numpy", "gcc", "make", "sed >=4")
    assert found.pip == ("rich", "sh")
    assert "clang left out (sel(not linux) is not so on linux-64)" in told
    with pytest.raises(SpecificationError, match="is a condition; import it"):
        read_specification(textwrap.dedent(inline))


RECIPE = """\
channels:
  - conda-forge
  - if: win
    then: msys2
dependencies:
  - python=3.11
  - ipykernel
  - if: win
    then: pywin32
    else: [pexpect, ptyprocess]
  - if: unix
    then:
      - make
      - old  # [win]
      - sed >=4
      - pip: [sh]
  - if: osx
    then: a
    else:
  - if: win
    then:
  - if: linux and x86_64
    then:
      - if: match(python, ">=3.10,<3.13")
        then: new
        else: older
  # a comment
  - {if: not win, then: [c, d]}
  - sel(win-64): p
  - sel(osx-arm64):
      - q
  - pip:
      - rich
      - if: win
        then: wmi
        else:
          - six
      - sel(linux-64): evdev
  - last  # [linux-64]
  - never  # [osx-arm64]
"""


@pytest.mark.parametrize("breaks", ["\n", "\r\n"])
def test_conditions_of_recipes_are_resolved_wherever_they_stand(breaks: str) -> None:
    repaired = repair(RECIPE.replace("\n", breaks), "a/environment.yml", platform="linux-64")
    found = read_specification(repaired.text, platform="linux-64")
    assert found.channels == ("conda-forge",)
    assert found.dependencies == (
        *("python=3.11", "ipykernel", "pexpect", "ptyprocess", "make", "sed >=4", "new", "c", "d", "last"),
    )
    assert found.pip == ("rich", "six", "evdev", "sh")
    assert not found.notes
    told = "\n".join(f"{change.what} ({change.why})" for change in repaired.changes)
    for words in (
        "pexpect, ptyprocess taken from else (if: win is not so on linux-64)",
        "make, sed >=4, pip: sh taken from then (if: unix is so on linux-64)",
        'older left out (if: match(python, ">=3.10,<3.13") is so on linux-64)',
        "p left out (sel(win-64) is not so on linux-64)",
        "if, then left out (nothing stands below the condition)",
        "never left out (# [osx-arm64] is not so on linux-64)",
    ):
        assert words in told
    windows = mended(RECIPE, platform="win-64")[0]
    assert windows.dependencies == ("python=3.11", "ipykernel", "pywin32", "p")
    assert windows.pip == ("rich", "wmi")


def test_an_entry_with_a_condition_is_one_fault_and_one_that_nobody_understands_stays() -> None:
    text = "name: a\ndependencies:\n  - if: win\n    then: a\n    else: b\n  - if: cuda\n    then: c\n    else: d\n"
    with pytest.raises(SpecificationError) as caught:
        read_specification(text)
    first, second = caught.value.faults
    assert (first.line, second.line) == (3, 6)
    assert "'if: win' is a condition; import it" in first.message
    assert "'if: cuda' is a condition that is not understood; list the packages" in second.message
    with pytest.raises(SpecificationError, match="'if: cuda' is a condition that is not understood") as caught:
        mended(text)
    assert len(caught.value.faults) == 1


def test_conditions_behind_a_semicolon_are_resolved_where_conda_has_none() -> None:
    found, told = mended(
        """\
        dependencies:
          - python=3.11
          - ipykernel
          - pywin32; sys_platform == 'win32'
          - "pexpect >=4 ; sys_platform != 'win32'"
          - old; python_version < '3.8'
          - dask[complete]; platform_system == 'Linux'
        """
    )
    assert found.dependencies == ("python=3.11", "ipykernel", "pexpect >=4")
    assert found.pip == ("dask[complete]",)
    assert "pywin32; sys_platform == 'win32' left out" in told


def test_an_entry_for_pip_as_a_whole_may_have_a_condition() -> None:
    found, told = mended(
        "dependencies:\n  - numpy\n  - pip:  # [win]\n      - wmi\n      - pywin32  # [win]\n  - scipy\n"
    )
    assert (found.dependencies, found.pip) == (("numpy", "scipy"), ())
    assert "pip: left out" in told


KEYS = """\
channel: conda-forge
platform: linux-64
category: dev
extras: {plots: [matplotlib]}
pip-repositories: [https://host.example/simple, 'https://$USER:$PASSWORD@host.example/more']
env_vars:
  MODE: fast
version: 2
dependancies:
  - numpy: 1.26
  - scipy: '>=1.10'
  - pip:
    - rich=13.1
pip:
  - cowsay
"""


def test_keys_of_other_tools_are_said_in_ours_or_left_out_and_told() -> None:
    found, told = mended(KEYS)
    assert found.channels == ("conda-forge",)
    assert found.platforms == ("linux-64",)
    assert found.dependencies == ("numpy=1.26", "scipy>=1.10")
    assert found.pip == ("rich==13.1", "cowsay")
    assert found.pip_options.extra_index_urls == ("https://host.example/simple",)
    assert found.variables == {"MODE": "fast"}
    for words in ("category left out", "extras left out", "plots", "version left out", "no password", "became rich=="):
        assert words in told


def test_a_key_that_is_misspelled_beside_the_right_one_is_left_out() -> None:
    found, told = mended("dependencies: [numpy]\ndependancies: [scipy]\n")
    assert found.dependencies == ("numpy",)
    assert "dependancies left out" in told


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("climate/environment.yml", "climate"),
        ("/home/me/My Project/environment-dev.yml", "environment-dev"),
        ("My Project/env.yaml", "My-Project"),
        ("environment.yml", "environment"),
        ("/environment.yml", "environment"),
        ("climate/ocean.yml", "ocean"),
        ("climate/requirements.txt", "climate"),
    ],
)
def test_a_file_whose_own_name_says_nothing_has_that_of_its_folder(file: str, name: str) -> None:
    text = "numpy\n" if file.endswith("txt") else "dependencies: [numpy]\n"
    assert read_specification(repair(text, file, platform="linux-64").text).name == name


def test_files_that_are_named_beside_the_specification_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    hashed = f"rich>=13 \\\n    --hash=sha256:{'a' * 64} \\\n    --hash=sha256:{'b' * 64}"
    (tmp_path / "requirements.txt").write_text(f"# tools\n{hashed}\n-r more/base.txt\n-c bounds.txt\n")
    (tmp_path / "more" / "base.txt").write_text("requests\n-r ../requirements.txt\n")
    (tmp_path / "bounds.txt").write_text("requests<3\nurllib3<2\nnumpy<2; python_version < '3'\n")
    text = "dependencies:\n  - python\n  - ipykernel\n  - pip:\n    - -r requirements.txt\n    - cowsay\n"
    found, told = mended(text, folder=tmp_path)
    assert found.pip == ("cowsay", f"rich>=13 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}", "requests<3")
    assert "requirements.txt, more/base.txt, bounds.txt, beside the file" in told
    assert "bounds of numpy, urllib3 left out" in told


@pytest.mark.parametrize(
    "name", ["../other.txt", "/etc/passwd", "link.txt", "gone.txt", ".", "https://host.example/r.txt", "a" * 300]
)
def test_a_file_that_does_not_lie_beside_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.txt").write_text("secret\n")
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "link.txt").symlink_to("../other.txt")
    with pytest.raises(SpecificationError, match=r"beside the specification|lies elsewhere") as caught:
        mended(f"dependencies:\n  - pip:\n    - -r {name}\n", folder=folder)
    assert "secret" not in str(caught.value)


def test_a_pipe_beside_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(SpecificationError, match="is no file"):
        mended("dependencies:\n  - pip:\n    - -r pipe.txt\n", folder=tmp_path)


def test_where_no_file_can_be_read_beside_it_is_refused_with_the_way_out() -> None:
    with pytest.raises(SpecificationError, match="put its lines in this list, or import the file on the command line"):
        mended("dependencies:\n  - pip:\n    - -r requirements.txt\n")


def test_lines_for_pip_that_nobody_can_follow_are_left_out_and_told() -> None:
    found, told = mended(
        f"""\
        name: a
        dependencies:
          - numpy
          - pip:
            - git+https://host.example/vague
            - git+https://host.example/exact@{COMMIT}
            - other @ git+https://host.example/vague@main
            - hg+https://host.example/old@{COMMIT}
            - -e git+https://host.example/edited@{COMMIT}#egg=edited
            - -e git+https://host.example/edited@main
            - --require-hashes
            - "--trusted-host host.example"
            - rich
        """
    )
    at_commit = [f"{name} @ git+https://host.example/{name}@{COMMIT}" for name in ("exact", "edited")]
    assert found.pip == (*at_commit, "rich")
    for words in (
        "'git+https://host.example/vague' dropped (no full commit",
        "@main",
        "hg+",
        "--require-hashes",
        "--trusted",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"git+https://h.example/o/pkg.git@{COMMIT}", f"pkg @ git+https://h.example/o/pkg.git@{COMMIT}"),
        (f"git+https://h.example/o/r@{COMMIT}#egg=my_pkg", f"my_pkg @ git+https://h.example/o/r@{COMMIT}"),
        (
            f"git+https://h.example/o/r@{COMMIT.upper()}#egg=p[x]&subdirectory=python/p",
            f"p[x] @ git+https://h.example/o/r@{COMMIT}#subdirectory=python/p",
        ),
        (f"p @ git+https://git@h.example/o/r.git@{COMMIT}", f"p @ git+https://h.example/o/r.git@{COMMIT}"),
        (
            f'p @ git+https://h.example/o/r@{COMMIT} ; python_version > "3"',
            f'p @ git+https://h.example/o/r@{COMMIT} ; python_version > "3"',
        ),
        (f"p @ https://h.example/o/r/archive/{COMMIT}.zip", f"p @ https://h.example/o/r/archive/{COMMIT}.zip"),
        (f"p @ https://h.example/p-1.tar.gz#sha256={'0' * 64}", f"p @ https://h.example/p-1.tar.gz#sha256={'0' * 64}"),
    ],
)
def test_sources_at_a_commit_are_read(line: str, expected: str) -> None:
    text = f"dependencies:\n  - python\n  - pip:\n      - {line!r}\n"
    assert read_specification(text).pip == (expected,)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("git+https://h.example/o/r", "it names no commit, which has 40 characters"),
        ("p @ git+https://h.example/o/r@v1.0", "'v1.0' is no full commit"),
        (f"p @ git+https://h.example/o/r@{COMMIT[:7]}", "pypi_allow_sdists"),
        (f"p @ git+ssh://git@h.example/o/r@{COMMIT}", "by ssh needs a key"),
        (f"p @ git+https://me:secret@h.example/o/r@{COMMIT}", "no password"),
        (f"p @ git+https://h.example/o/r@{COMMIT}#subdirectory=../x", "no folder of a repository"),
        (f"svn+https://h.example/o/r@{COMMIT}", "svn is not read"),
        (f"p @ git+file:///srv/r@{COMMIT}", "allow_local_files"),
        ("p @ https://h.example/o/r/archive/main.zip", "only a wheel"),
        (f"p==1 --hash=sha256:{'0' * 63}", "is no SHA-256"),
        (f"p==1 --hash=md5:{'0' * 32}", "hashes of the kind md5 are not checked"),
        (f"--hash=sha256:{'0' * 64}", "behind its package"),
    ],
)
def test_sources_that_are_not_exact_are_refused_with_the_way_out(line: str, words: str) -> None:
    with pytest.raises(SpecificationError) as caught:
        read_specification(f"dependencies:\n  - python\n  - pip:\n      - {line!r}\n", allow_local_files=False)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


def test_hashes_belong_to_what_a_specification_means() -> None:
    def read(*lines: str) -> Specification:
        return read_specification(
            "dependencies:\n  - python\n  - pip:\n" + "".join(f"      {line}\n" for line in lines)
        )

    hashed = read(f"- rich==13 --hash=sha256:{'a' * 64} --hash sha256:{'B' * 64}")
    assert hashed.pip == (f"rich==13 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}",)
    assert hashed.sha256 != read("- rich==13").sha256
    block = read(
        "- |", f"  rich==13 \\\n          --hash=sha256:{'a' * 64} \\\n          --hash=sha256:{'b' * 64}\n  # end"
    )
    assert block.pip == hashed.pip
    many = [f"--hash=sha256:{number:064x}" for number in range(200)]
    assert read(f"- cffi==1 {' '.join(many)}").pip == (f"cffi==1 {' '.join(many)}",)


def test_a_requirements_file_keeps_its_hashes() -> None:
    lines = [
        "rich==13 \\",
        f"    --hash=sha256:{'a' * 64} \\",
        f"    --hash=sha256:{'b' * 64}",
        "    # via x",
        "cowsay",
    ]
    found, _ = mended("\r\n".join(lines), "requirements.txt")
    assert found.pip == (f"rich==13 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}", "cowsay")


WORDS = st.sampled_from(
    [
        *(
            "name",
            "channels",
            "dependencies",
            "pip",
            "platforms",
            "platform",
            "channel",
            "category",
            "extras",
            "variables",
        ),
        *("pip-repositories", "sel(linux)", "sel(", "prefix", "dependancies", "C:\\x", "numpy=1=py39_0", "vc=1=h1_0"),
        *(
            "ucrt=1=h1_0",
            "-r x.txt",
            "-c",
            "-e .",
            "git+https://h/x",
            "x # [win]",
            "defaults",
            "",
            "~",
            "a: b",
            "[x",
            "*a",
        ),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=15,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(WORDS, VALUES, max_size=6), st.booleans(), st.sampled_from(["linux-64", "osx-arm64", "win-64"]))
def test_no_structure_does_anything_but_be_repaired_or_refused(data: object, flow: bool, platform: str) -> None:
    text = yaml.safe_dump(data, default_flow_style=flow, sort_keys=False, allow_unicode=True)
    try:
        repaired = repair(text, "a/environment.yml", platform=platform)
        read_specification(repaired.text)
    except SpecificationError as error:
        assert error.faults


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-[]{}'\"\n #=.()&*", max_size=60), st.booleans())
def test_no_text_does_anything_but_be_repaired_or_refused(text: str, below: bool) -> None:
    try:
        repair(f"name: a\ndependencies:\n{text}\nprefix: C:/x" if below else text, platform="linux-64")
    except SpecificationError as error:
        assert error.faults


@pytest.mark.parametrize("pip", ["", "  - pip:\n    - rich\n"])
def test_packages_with_extras_are_moved_to_pip_and_told(pip: str) -> None:
    found, told = mended(f"dependencies:\n  - numpy\n  - dask[complete]>=2\n  - 'tool[a, b]=1.2'\n{pip}")
    assert found.dependencies == ("numpy",)
    assert found.pip == (*(["rich"] if pip else []), "dask[complete]>=2", "tool[a,b]==1.2")
    assert "dask[complete]>=2 moved to 'pip:'" in told


def test_variables_have_conditions_too() -> None:
    text = "dependencies:\n  - numpy\nvariables:\n  A: 1  # [win]\n  B: 2  # [linux]\n"
    found, told = mended(text)
    assert found.variables == {"B": "2"}
    assert "A: … left out (# [win] is not so on linux-64)" in told
    assert "A: … (line 4) kept though [win]" in read_specification(text, platform="linux-64").notes[0]


@pytest.mark.parametrize(
    ("lines", "is_of_pypi"),
    [
        (["packaging==23.2", "cowsay"], True),
        (["Typing_Extensions<4.5"], True),
        (["jupyter-client ~= 7.0 ; python_version >= '3.9'"], True),
        (["traitlets @ https://host.example/traitlets-5.0-py3-none-any.whl"], True),
        (["packaging", "six>=1.10"], False),
        (["cowsay==6.1"], False),
        (["packaging==23.2", "notebook"], None),
    ],
)
def test_a_kernel_that_is_added_does_not_bring_other_versions_than_lines_for_pip_ask_for(
    lines: list[str], is_of_pypi: bool | None
) -> None:
    text = "name: e\nchannels: [c]\ndependencies:\n  - python=3.11\n  - pip:\n"
    repaired = repair(text + "".join(f'      - "{line}"\n' for line in lines), "e.yml")
    found = read_specification(repaired.text)
    assert ("ipykernel" in found.pip) == (is_of_pypi is True)
    assert ("ipykernel" in found.dependencies) == (is_of_pypi is False)
    kept = repair(text + "".join(f'      - "{line}"\n' for line in lines), "e.yml", keep=("kernel",))
    assert "ipykernel" not in kept.text


@pytest.mark.parametrize(
    "line", ["-e .", "--editable=.[dev]", ".", "./", "-e ../lib", "mine @ file:.", ". ; python_version > '3'"]
)
def test_the_project_beside_a_list_is_told_as_not_installed(line: str) -> None:
    repaired = repair(f"{line}\nattrs\n", "requirements.txt")
    change = next(change for change in repaired.changes if "dropped" in change.what)
    assert "the project in that folder is not installed; import its pyproject.toml" in change.why


@pytest.mark.parametrize("line", ["-e /home/a/lib", "mine @ file:///home/a/lib"])
def test_a_folder_of_another_machine_is_told_as_such(line: str) -> None:
    repaired = repair(f"{line}\nattrs\n", "requirements.txt")
    assert "a folder of another machine" in next(c.why for c in repaired.changes if "dropped" in c.what)
