"""Requirements of usual shapes are read fast, and say what ``packaging`` says of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from jupyter_envstore.spec.converting.draft import Draft
from jupyter_envstore.spec.converting.groups import groups_of, without_itself
from jupyter_envstore.spec.converting.toml import Source
from jupyter_envstore.spec.pip_lines import parse_pip_line
from jupyter_envstore.spec.requirement_parts import plain_parts, read_parts

USUAL = (
    "numpy",
    "  numpy\t",
    "Django>=4.2,<5",
    "zope.interface == 6.0",
    "ruamel.yaml~=0.18.0",
    "requests[socks, use-chardet]>=2.31,!=2.32.0,<3",
    "a[b,B,c]",
    "torch==2.3.0+cpu",
    "scipy==1.14.*",
    "black==24.1a1",
    "pywin32>=306; sys_platform == 'win32'",
    "tomli>=2 ; python_version<'3.11' and (os_name=='nt' or extra == 'X_y')",
    "importlib-metadata (>=4.4,<9) ; python_full_version < '3.10.2'",
    "x @ https://host.example/x-1.0-py3-none-any.whl",
    "x[y]@https://host.example/x-1.0-py3-none-any.whl#sha256=ab ; os.name == 'posix'",
    "x @ git+https://host.example/x@0123456789abcdef0123456789abcdef01234567#subdirectory=a",
)
BROKEN = (
    *(
        "",
        "-",
        "a b",
        "a-",
        "a_",
        "a.",
        "_a",
        "a[",
        "a[]",
        "a[,]",
        "a[b",
        "a[b c]",
        "a[-b]",
        "a>=",
        "a>=1,",
        "a>=1,,<2",
    ),
    *("a>=1.*", "a>1+local", "a~=1", "a==1.0.dev", "a===1.0", "a=== x", "a>=1 <2", "a=1", "a>=1.0beta1", "a>= 1 , <2"),
    *(
        "a;",
        "a; ",
        "a; python_version",
        "a; python_version > 3",
        "a; x == 'y'",
        "a @",
        "a @ u;os_name == 'x'",
        "a @ u v",
    ),
    *(
        "a (>=1",
        "a ()",
        "a (>=1) <2",
        "a[b] @ u ; ",
        "ä>=1",
        "a>=\uff11",
        "a\n>=1",
        "a>=1\n",
        "a==1.0-r1",
        "a==1!2.0",
        "a==v1",
    ),
    *('a; os_name == "it\'s"', "a; os_name == 'x' or", "a>=01.0,>=1.0", "a>=1.0,>=1", "a<2,>=1,<2", "a>=1e5", "a==1_0"),
)


def parts_or_none(line: str) -> tuple[str, ...] | None:
    """Return the parts that ``packaging`` reads, as it writes them; None for what is no requirement."""
    try:
        read = Requirement(line)
    except ValueError:  # older releases raise others than InvalidRequirement, too
        return None
    marker = str(read.marker) if read.marker else ""
    return read.name, ",".join(sorted(read.extras)), str(read.specifier), read.url or "", marker


def ours_or_none(line: str) -> tuple[str, ...] | None:
    """Return the same of our reading."""
    try:
        read = read_parts(line)
    except ValueError:
        return None
    assert parts_or_none(str(read)) == parts_or_none(line)  # older releases write an address as in 'a@ b'
    return read.name, ",".join(read.extras), read.specifier, read.url, read.marker


blank = st.sampled_from(["", "", "", " ", "\t", "  "])
names = st.one_of(
    st.from_regex(r"[A-Za-z0-9._-]{1,8}", fullmatch=True), st.sampled_from(["a", "Zope.Interface", "a_b"])
)
operators = st.sampled_from(["==", ">=", "<=", "!=", "<", ">", "~=", "===", "=", "=>"])
versions = st.one_of(
    st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,2}){0,3}", fullmatch=True),
    st.from_regex(
        r"v?([0-9]!)?[0-9]{1,2}(\.[0-9]{1,2}){0,2}([-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]?)?"
        r"(-[0-9]|[-_.]?(post|rev|r)[-_.]?[0-9]?)?([-_.]?dev[-_.]?[0-9]?)?(\+[a-z0-9]{1,3}([-_.][a-z0-9]{1,2})?)?(\.\*)?",
        fullmatch=True,
    ),
    st.text("0123456789.*+!_-abcr", max_size=6),
)


@st.composite
def bounds(draw: st.DrawFn) -> str:
    """Bounds, and what is nearly some."""
    parts = [f"{draw(operators)}{draw(blank)}{draw(versions)}{draw(blank)}" for _ in range(draw(st.integers(0, 3)))]
    text = f",{draw(blank)}".join(parts)
    return draw(st.sampled_from(["{}", "{}", "{}", "({})", "( {} )", "{},", "({}"])).format(text)


@st.composite
def markers(draw: st.DrawFn) -> str:
    """Markers, and what is nearly some."""
    variables = st.sampled_from(
        ["python_version", "python_full_version", "sys_platform", "os.name", "platform_machine", "extra", "wrong"]
    )
    words = st.sampled_from(["'3.10'", '"linux"', "'it is'", '"it\'s"', "'A_b'", "3", "''"])
    atoms = [
        f"{draw(blank)}{draw(variables)}{draw(blank)}{draw(operators | st.sampled_from([' in ', ' not in ']))}"
        f"{draw(blank)}{draw(words)}{draw(blank)}"
        for _ in range(draw(st.integers(1, 3)))
    ]
    text = draw(st.sampled_from([" and ", " or "])).join(atoms)
    return draw(st.sampled_from(["{}", "{}", "({})", "({}"])).format(text)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Requirements of all shapes, and what is nearly some."""
    extras = draw(st.lists(names, max_size=3))
    inside = f"{draw(blank)},{draw(blank)}".join(extras)
    said = f"[{draw(blank)}{inside}{draw(blank)}]" if draw(st.booleans()) else ""
    address = draw(st.from_regex(r"[a-z+]{2,5}://[!-~]{1,12}", fullmatch=True))
    where = draw(bounds()) if draw(st.integers(0, 4)) else f"@{draw(blank)}{address}{draw(blank)}"
    marker = f"{draw(blank)};{draw(markers())}" if draw(st.booleans()) else ""
    return f"{draw(blank)}{draw(names)}{draw(blank)}{said}{draw(blank)}{where}{marker}{draw(blank)}"


@settings(max_examples=600)
@given(lines() | st.text("aB0-_.[]<>=!~,;@() '\"", max_size=14))
@example("a @ u\t; os_name == 'x'")
def test_requirements_say_what_packaging_says_of_them_and_are_refused_where_it_refuses_them(line: str) -> None:
    assert ours_or_none(line) == parts_or_none(line)


def line_or_fault(line: str, allow_local_files: bool) -> str:
    """Return a line for pip as it is read, or what is wrong with it."""
    try:
        return repr(parse_pip_line(line, allow_local_files))
    except ValueError as error:
        return str(error)


ODD = (
    *(
        "foo.zip",
        "foo.tar.gz ; os_name == 'x'",
        "foo.whl",
        "a -e b",
        "a --pre",
        "a ; os_name == ' --x'",
        "a # why",
        "#a",
    ),
    *(
        "a ; os_name == 'git+x'",
        "a ; os_name == ' git+x'",
        "a ; os_name == '{{ x }}'",
        "a==$VERSION",
        "a\\",
        "-e a",
        "a\x0c",
    ),
    *("a @ http://h.example/t/secret/a.whl", "a @ https://u:p@h.example/a.whl", "a @ https://h.example/../a.whl"),
    *("a @ https://h.example/x/a.whl?token=1", "a @ https://h.example/x/a.zip", "a @ file:///x/a.whl", "a @ ./a.whl"),
    *(
        "a @ https://h.example/x/a.whl#sha256=ab",
        "a[b] @ https://h.example/x/a.whl ; os_name == 'x'",
        "a@https://h/x.whl",
    ),
    *(
        "https://h.example/x/a-1-py3-none-any.whl",
        "a ; os_name == '\u2028'",
        "a; os_name == '#'",
        "a ; os_name == ' # '",
    ),
)


@settings(max_examples=400)
@given(lines() | st.sampled_from(ODD) | st.tuples(lines(), st.sampled_from(ODD)).map("".join), st.booleans())
def test_lines_for_pip_that_are_seen_through_at_once_are_read_as_all_others_are(line: str, allow: bool) -> None:
    fast = line_or_fault(line, allow)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jupyter_envstore.spec.pip_lines._usual", lambda _: None)
        assert line_or_fault(line, allow) == fast


@pytest.mark.parametrize("line", BROKEN)
def test_what_is_unusual_or_broken_is_what_packaging_says(line: str) -> None:
    assert ours_or_none(line) == parts_or_none(line)


@pytest.mark.parametrize("line", USUAL)
def test_usual_shapes_need_no_grammar_of_whole_requirements(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = parts_or_none(line)
    monkeypatch.setattr("packaging.requirements.Requirement", None)
    assert plain_parts(line) is not None
    assert ours_or_none(line) == expected is not None


def test_a_line_for_pip_keeps_its_hashes_and_its_normal_form() -> None:
    digest = "a" * 64
    line = parse_pip_line(f"Requests[use-chardet,socks] <3, >=2.31 --hash=sha256:{digest.upper()} # why", False)
    assert line is not None
    assert line.requirement == f"Requests[socks,use-chardet]<3,>=2.31 --hash=sha256:{digest}"


def test_groups_that_include_one_another_in_a_long_chain_are_read_each_once() -> None:
    tables = {
        f"Group_{number}": [f"p{number}>=1", {"include-group": f"group-{number - 1}" if number else "none"}]
        for number in range(3000)
    }
    groups, _ = groups_of(Source({"dependency-groups": tables}))
    assert groups["Group_2999"] == [f"p{number}>=1" for number in range(2999, -1, -1)]
    assert groups["Group_0"] == ["p0>=1"]


def test_the_extras_of_a_project_stand_in_place_of_itself_in_any_spelling() -> None:
    draft = Draft()
    extras = {"all": ["My.Tool[plots]", "b"], "plots": ["c>=1"]}
    assert without_itself(["a", "my_tool[all]", "my-tool-x"], "my-tool", extras, draft, Source({})) == [
        "a",
        "c>=1",
        "b",
        "my-tool-x",
    ]
    assert draft.told == []
