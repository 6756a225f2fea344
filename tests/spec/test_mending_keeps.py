"""What was right stays right: a text that can be read means the same after it was repaired."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.document import read_table
from jupyter_envstore.spec.origin import listed, origin
from jupyter_envstore.spec.package_editing import as_scalar
from jupyter_envstore.spec.platform_packages import CHOSEN, NATIVE, PART_OF
from jupyter_envstore.spec.repair import KEEPABLE, repair

NAMES = st.sampled_from(
    [
        *("python", "numpy", "libcuvs", "r-base", "_openmp_mutex", "xz", "font-ttf", "pip", "on", "y", "lz4.c"),
        *sorted({*NATIVE, *CHOSEN, *PART_OF}),
    ]
)
VERSIONS = st.sampled_from(
    ["1", "1.26", "26.10.*", "0.0.0a0", "1!2.0", "2024.1.1", "1.2.3.post1", "9e", "1.0+cu118", "3.12"]
)
OPERATORS = st.sampled_from([">=", "<=", "!=", "~=", "==", ">", "<", "=", ""])
BUILDS = st.sampled_from(
    ["py39_0", "h1_1", "*", "*cuda*", "py3?_1", "h6244533_1", "win_pyh7428d3b_0", "0", "cpu*", "^py.*$"]
)
BOUND = st.tuples(OPERATORS, VERSIONS).map("".join)


@st.composite
def match_specs(draw: st.DrawFn) -> str:
    """Every way to write a package that rattler reads, and some that it does not."""
    name = draw(st.sampled_from(["", "", "", "conda-forge::", "defaults::", "conda-forge/linux-64::"])) + draw(NAMES)
    form = draw(st.integers(0, 8))
    bounds = draw(st.lists(BOUND, min_size=1, max_size=3).map(draw(st.sampled_from([",".join, "|".join]))))
    space = draw(st.sampled_from(["", " ", "  "]))
    build = draw(BUILDS)
    version = draw(VERSIONS)
    return {
        0: name,
        1: f"{name}{space}{bounds}",
        2: f"{name}={version}={build}",
        3: f"{name}=={version}={build}",
        4: f"{name} {version} {build}",
        5: f"{name}[version='{bounds}', build={build}]",
        6: f'{name}[version="{bounds}",build_number=">=1"]',
        7: f"{name} ={version}={build}",
        8: f"{name} {bounds} {build}",
    }[form]


PIP = st.sampled_from(
    [
        *("requests>=2.31,<3", "rich", "uvicorn[standard]~=0.30", 'pywin32; sys_platform == "win32"', "appnope"),
        *(
            "torch==2.1.0+cu118",
            "--extra-index-url https://host.example/simple",
            "-i https://host.example/one",
            "comtypes",
        ),
        "mine @ https://host.example/mine-1.0-py3-none-any.whl",
        f"cowsay==6.1 --hash=sha256:{'a' * 64}",
        f"mine @ git+https://host.example/mine@{'1' * 40}#subdirectory=python",
        "ipykernel==6.0",
    ]
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A specification in block or flow style, quoted or not, with comments and blank lines."""
    conda = draw(st.lists(match_specs(), min_size=1, max_size=6))
    pip = draw(st.lists(PIP, max_size=3, unique=True))
    channels = draw(
        st.lists(
            st.sampled_from(["conda-forge", "defaults", "pytorch", "https://host.example/c"]), max_size=3, unique=True
        )
    )
    quote = draw(
        st.sampled_from(
            [
                lambda text: as_scalar(text, True),
                json.dumps,
                lambda text: f"'{text}'" if "'" not in text else json.dumps(text),
            ]
        )
    )
    head = draw(st.sampled_from(["", "---\n", "# a comment\n\n", "name: a\n", "description: 'prefix: C:/x'\n"]))
    tail = draw(
        st.sampled_from(
            ["", "variables: {A: '1'}\n", "platforms:\n- osx-64\n", "\n# end", "variables:\n  B: |\n    x\n"]
        )
    )
    comment = draw(st.sampled_from(["", "  # pinned", " # why: 'x'", "\t#"]))
    dash = draw(st.sampled_from(["- ", "  - ", "  -   "]))
    if draw(st.booleans()):
        items = ", ".join([*map(quote, conda), *([f"{{pip: [{', '.join(map(quote, pip))}]}}"] if pip else [])])
        listed = f"channels: [{', '.join(map(quote, channels))}]\ndependencies: [{items}]{comment}\n"
    else:
        lines = [f"{dash}{quote(item)}{comment}" for item in conda]
        inner = " " * dash.index("-") + "    - "
        lines += [f"{dash}pip:", *(f"{inner}{quote(item)}{comment}" for item in pip)] if pip else []
        named = ["channels:", *(f"{dash}{quote(channel)}" for channel in channels)] if channels else []
        listed = "\n".join([*named, "dependencies:", *lines]) + "\n"
    return (head + listed + tail).replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


def meaning(specification: Specification) -> Specification:
    return replace(specification, name=None)


@settings(max_examples=300, deadline=None)
@given(texts())
def test_what_is_read_as_it_is_is_read_the_same_after_it_was_repaired(text: str) -> None:
    try:
        before = read_specification(text)
    except SpecificationError:
        return
    root = read_table(text)
    where = origin(root, listed(root))
    assume(not where or "linux-64" in where)  # not an export of another system
    repaired = repair(text, "some.yml", platform="linux-64", keep=("defaults", "kernel"))
    assert meaning(read_specification(repaired.text)) == meaning(before), repaired.text
    assert {change.what for change in repaired.changes} <= {"name some added"}
    for platform in ("win-64", "osx-arm64"):
        elsewhere = repair(text, "some.yml", platform=platform, keep=KEEPABLE)
        assert meaning(read_specification(elsewhere.text)) == meaning(before), elsewhere.text


@settings(max_examples=200, deadline=None)
@given(texts())
def test_a_repaired_text_is_one_that_needs_no_repair(text: str) -> None:
    prefix = text.rstrip() + "\nprefix: C:\\envs\\x\n"
    try:
        repaired = repair(prefix, "some.yml", platform="linux-64")
        read_specification(repaired.text)
    except SpecificationError:
        return
    assert repair(repaired.text, "some.yml", platform="linux-64").text == repaired.text


EXPORT = "name: a\ndependencies:\n  - python=3.9.7=h6244533_1\n  - ipykernel\n"


@pytest.mark.parametrize("name", sorted({*NATIVE, *CHOSEN, *PART_OF}))
def test_one_name_never_says_where_a_file_was_written(name: str) -> None:
    for line in (name, f"{name}=1.0", f"{name}=1.0=h1_0"):
        text = f"{EXPORT}  - {line}\n"
        assert repair(text, platform="linux-64").text == text
        assert repair(text, platform="win-64").text == text


def test_several_build_strings_of_another_system_say_where_a_file_was_written() -> None:
    text = EXPORT + "  - vc=14.2=h21ff451_1\n  - vs2015_runtime=14.27=h5e58377_2\n  - menuinst=1.4.18=py39h59b6b97_0\n"
    found = read_specification(repair(text, platform="linux-64").text)
    assert found.dependencies == ("python=3.9.7", "ipykernel")
    mixed = text + "  - ld_impl_linux-64=2.35=h7274673_9\n"
    assert repair(mixed, platform="linux-64").text == mixed


def test_what_is_to_be_had_here_too_stays_unless_the_export_bound_it() -> None:
    lines = "  - llvm-openmp\n  - appnope=0.1.2\n  - libcxx=12.0.0=h2f01273_0\n"
    text = f"name: a\ndependencies:\n{lines}prefix: /Users/me/envs/a\n"
    assert read_specification(repair(text, platform="linux-64").text).dependencies == ("llvm-openmp",)


@pytest.mark.parametrize(
    "spec",
    [
        "libcuvs==26.10.*,>=0.0.0a0",
        "numpy=1.26,<=1.26.4",
        "numpy=1.26,!=1.26.4",
        "numpy=1.26|=1.27",
        "pytorch=2.*=*cuda*",
        "pytorch=2.1=cuda118*",
        "pytorch[version='>=1', build=*cuda*]",
        "conda-forge::numpy>=1,==1.26",
    ],
)
def test_a_bound_is_no_build_string_even_in_an_export_of_another_system(spec: str) -> None:
    text = f'name: a\ndependencies:\n  - "{spec}"\nprefix: C:\\envs\\a\n'
    assert repair(text, platform="linux-64").text == text.replace("prefix: C:\\envs\\a\n", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: a\ndependencies:\n  -\n    numpy=1=py39_0\n  -\n    vc\nprefix: C:\\x\n", ("numpy=1",)),
        ("name: a\ndependencies: &d\n  - &n numpy=1=py39_0\n  - *n\nprefix: C:\\x\n", ("numpy=1",)),
        ("name: a\ndependencies:\n  - !!str numpy=1=py39_0\nprefix: C:\\x\n", ("numpy=1",)),
        ("name: a\ndependencies:\n  - >-\n    numpy=1=py39_0\n  - scipy\nprefix: C:\\x\n", ("numpy=1", "scipy")),
        ("name: a\ndependencies:\n  - |\n    numpy=1=py39_0\n  - scipy\nprefix: C:\\x\n", ("numpy=1", "scipy")),
    ],
)
def test_yaml_that_is_written_otherwise_is_changed_where_it_must_be(text: str, expected: tuple[str, ...]) -> None:
    assert read_specification(repair(text, platform="linux-64").text).dependencies == expected


def test_what_is_dropped_and_referred_to_elsewhere_is_no_riddle() -> None:
    text = "name: a\ndependencies:\n  - &v vc=14=h1_0\n  - scipy\n  - *v\nprefix: C:\\x\n"
    with pytest.raises(SpecificationError, match="write it out without them"):
        repair(text, platform="linux-64")


def test_an_export_of_macos_without_its_prefix_is_known_by_its_builds() -> None:
    lines = ["bzip2=1.0.8=h93a5062_5", "libcxx=16.0.6=h4653b0c_0", "c-ares=1.28.1=h93a5062_0", "openssl", "xz=5.2.6"]
    text = "name: a\ndependencies:\n" + "".join(f"  - {line}\n" for line in lines)
    found = read_specification(repair(text, platform="linux-64").text)
    assert found.dependencies == ("bzip2=1.0.8", "c-ares=1.28.1", "openssl", "xz=5.2.6")
    assert repair(text, platform="osx-arm64").text == text
    one = text.replace("c-ares=1.28.1=h93a5062_0", "c-ares")
    assert repair(one, platform="linux-64").text == one
    mixed = text + "  - zlib=1.2.13=hd590300_5\n"
    assert repair(mixed, platform="linux-64").text == mixed
