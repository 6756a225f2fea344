"""Reading specifications: what is accepted, and every fault with its line."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification

FULL = """\
name: data
description: For the team
channels: [conda-forge, https://host.example/private]
platforms: [linux-64, osx-arm64]
dependencies:
  - python=3.12
  - conda-forge::numpy>=1.26,<2
  - "pandas =2.2.1=py312h1"
  - pip:
      - --index-url https://index.example/simple
      - --extra-index-url https://more.example/simple
      - requests[socks]>=2 ; python_version > "3"
      - cowsay  # a comment
variables:
  COUNT: 1
  VERSION: 3.10
  FLAG: yes
"""


def faults(text: str | bytes, **options: bool) -> list[tuple[int | None, str]]:
    """Return line and message of every fault."""
    text = textwrap.dedent(text) if isinstance(text, str) else text
    with pytest.raises(SpecificationError) as caught:
        read_specification(text, **options)
    return [(fault.line, fault.message) for fault in caught.value.faults]


def test_everything_that_can_be_said_is_read() -> None:
    specification = read_specification(FULL)
    assert specification.channels == ("conda-forge", "https://host.example/private")
    assert specification.dependencies == ("python=3.12", "conda-forge::numpy>=1.26,<2", "pandas =2.2.1=py312h1")
    assert specification.pip == ('requests[socks]>=2; python_version > "3"', "cowsay")
    assert specification.pip_options.index_url == "https://index.example/simple"
    assert specification.pip_options.extra_index_urls == ("https://more.example/simple",)
    assert specification.variables == {"COUNT": "1", "VERSION": "3.10", "FLAG": "yes"}
    assert specification.platforms == ("linux-64", "osx-arm64")
    assert Specification.from_json(specification.to_json()).sha256 == specification.sha256


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: a\nchannels: [x\ndependencies:\n  - b\n", 2, "a '[' opens here"),
        ("name: a\nvariables: {x: 1\ndependencies:\n  - b\n", 2, "a '{' opens here"),
        ("name: a\nchannels\n  - x\ndependencies:\n  - b\n", 2, "needs a ':'"),
        ("name: a\ndependencies:\n  - b\n  c\n", 4, "needs a ':'"),
        ("name: a\ndependencies:\n  - 'b\n  - c\n", 3, "a quotation mark opens here"),
        ("name: a\ndependencies:\n  - b\n - c\n", 4, "indented otherwise"),
        ("name: a\ndependencies:\n\t- b\n", 3, "a tab"),
    ],
)
def test_what_is_no_yaml_is_told_where_it_begins(text: str, line: int, words: str) -> None:
    ((found, message),) = faults(text)
    assert (found, words in message) == (line, True), message


def test_an_entry_that_swallowed_the_next_is_told() -> None:
    ((line, message),) = faults("dependencies:\n  - python=3.11\n    - numpy\n")
    assert (line, "indented deeper" in message) == (2, True)


def test_every_fault_is_told_at_once_with_its_line() -> None:
    found = faults(
        """\
        name: a b
        chanels: [x]
        dependencies:
          - numpy >>2
          - pip:
              - -e .
              - git+https://host.example/repository
              - ==1
          - conda: [x]
        variables: [a]
        platforms: [amiga]
        """
    )
    assert [line for line, _ in found] == [1, 2, 4, 6, 7, 8, 9, 10, 11]
    messages = " ".join(message for _, message in found)
    for word in ("'a-b'", "did you mean 'channels'?", ">>2", "editable", "version-control", "amiga"):
        assert word in messages


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("   \n# only a comment\n", "empty"),
        ("- python", "a mapping"),
        ("dependencies: python", "must be a list"),
        ("dependencies:\n\t- python", "a tab indents"),
        ("dependencies: [python\n", "not YAML"),
        ("name: a\nname: b\ndependencies: [python]", "stands twice"),
        ("dependencies: [3.12]", "a dependency is a package"),
        ("dependencies: [null]", "a dependency is a package"),
        ("dependencies: [./local.conda]", "names a file"),
        ("dependencies: [a 1 c d]", "more than a name, a version and a build"),
        ("dependencies: ['numpy pandas>=2']", "'pandas>=2' is no version; write a line for each package"),
        ("dependencies: [flask jinja2]", "'jinja2' is no version"),
        ("dependencies: [numpy pandas scipy]", "'pandas' is no version; write a line for each package"),
        ("dependencies: [-x]", "a name begins with"),
        ("dependencies: ['dask[complete]']", "write it under 'pip:', or dask alone for the conda package"),
        ("dependencies: ['conda-forge::tool[a, b]>=2']", "extras (a, b) belong to packages of PyPI"),
        ('dependencies: ["numpy["]', "invalid package name 'numpy['; for example"),
        ("dependencies: [https://host.example/linux-64/a-1-0.conda]", "is an address"),
        ("dependencies: ['numpy*']", "glob"),
        ("channels: [https://me:secret@host.example/c]\ndependencies: [python]", "no password"),
        ("channels: [https://host.example/t/secret-token/c]\ndependencies: [python]", "no token"),
        ("channels: ['a b']\ndependencies: [python]", "neither a name"),
        ("channels: [ftp://host.example/c]\ndependencies: [python]", "not an http"),
        ("dependencies: [python, {pip: [--index-url https://a:b@host.example/]}]", "no password"),
        ("dependencies: [python, {pip: ['--no-binary :all:']}]", "not supported"),
        ("dependencies: [python, {pip: [-r other.txt]}]", "another file"),
        ("dependencies: [python, {pip: [./folder]}]", "one machine only"),
        ("dependencies: [python, {pip: ['foo @ https://host.example/foo.tar.gz']}]", "only a wheel"),
        ("dependencies: [python]\nvariables: {A B: 1}", "not the name of an environment variable"),
        ("dependencies: [python]\nvariables: {A: [1]}", "must be text"),
        ("dependencies: [python]\nsystem-requirements: [cuda]", "must be a mapping"),
        ("dependencies: [python]\nsystem-requirements: {cuda: new}", "is no version"),
        ("dependencies: [python]\nsystem-requirements: {cuda: {version: 12}}", "is no version"),
        ("dependencies: [python]\nsystem-requirements: {rocm: 6}", "known: cuda, glibc, linux, macos"),
        ("dependencies: [python]\nchannel-priority: flexible", "must be strict or disabled"),
        ("dependencies: [python]\nchannel-priority: {a: b}", "must be strict or disabled"),
        (b"\x89PNG\r\n", "PNG image"),
        (b"%PDF-1.7", "PDF"),
        (b"\x00\x01\x02", "binary data"),
        (b"name: \xff\xfe", "not UTF-8"),
        (b"a: " + b"x" * 10 * 2**20, "at most 4 MB"),
        ("[" * 10_000, "nested more than"),
        ("a: &a [*a]\ndependencies: [python]", "anchors repeat"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, str) else "bytes",
)
def test_a_bad_file_is_refused_with_the_reason(text: str | bytes, word: str) -> None:
    assert any(word in message for _, message in faults(text)), faults(text)


def test_requirements_of_systems_hold_where_they_can() -> None:
    text = "dependencies: [python]\nsystem-requirements:\n  cuda: 12.10\n  glibc: '2.28'\n  macos: '13.0'\n"
    found = read_specification(text)
    assert found.virtual_packages("linux-64") == ("__cuda=12.10", "__glibc=2.28")
    assert found.virtual_packages("win-64") == ("__cuda=12.10",)
    assert found.virtual_packages("osx-arm64") == ("__osx=13.0",)
    assert Specification.from_json(found.to_json(), text) == found
    without = read_specification("dependencies: [python]")
    assert "system_requirements" not in without.to_json()  # specifications of before have the same hash
    assert Specification.from_json(without.to_json()) == without
    assert found.sha256 != without.sha256


def test_passwords_are_never_repeated_in_messages() -> None:
    text = "channels: [https://me:hunter2@host.example/c]\ndependencies: [python, {pip: [--index-url https://a:hunter2@h/]}]"
    assert "hunter2" not in str(faults(text))


def test_a_bomb_of_anchors_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "anchors" in faults("\n".join(lines))[0][1]


def test_local_files_fall_under_the_trait() -> None:
    text = "channels: ['file:///srv/channel']\ndependencies: [python, {pip: [--find-links /srv/wheels]}]"
    assert read_specification(text).pip_options.find_links == ("/srv/wheels",)
    assert all("allow_local_files" in message for _, message in faults(text, allow_local_files=False))
    assert len(faults(text, allow_local_files=False)) == 2


def test_the_order_of_channels_counts_and_that_of_packages_does_not() -> None:
    def sha(channels: str, packages: str) -> str:
        return read_specification(f"channels: [{channels}]\ndependencies: [{packages}]").sha256

    assert sha("a, b", "x, y") == sha("a, b", "y, x")
    assert sha("a, b", "x, y") != sha("b, a", "x, y")


LOCK = """\
version: 1
metadata:
  content_hash: {{linux-64: abc}}
  channels: [{{url: conda-forge, used_env_vars: []}}]
  platforms: [linux-64, osx-64]
  sources: [environment.yml]
package:
  - name: a
    version: '1.0'
    manager: conda
    platform: linux-64
    dependencies: {{b: '>=1'}}
    url: {url}
    hash: {hash}
    category: main
    optional: false
"""
GOOD_URL = "https://host.example/c/linux-64/a-1.0-0.tar.bz2"


def test_a_lockfile_with_sha256_only_and_tar_bz2_is_read() -> None:
    specification = read_specification(LOCK.format(url=GOOD_URL, hash={"sha256": "0" * 64}))
    assert specification.lockfile is not None
    assert specification.lockfile["package"][0]["hash"] == {"sha256": "0" * 64}


@pytest.mark.parametrize(
    ("url", "hashes", "word"),
    [
        ("https://host.example/c/linux-64/evil-1.0-0.conda", {"md5": "0" * 32}, "which is not a 1.0"),
        ("https://host.example/c/linux-64/a-1.0-0.zip", {"md5": "0" * 32}, "not a conda package"),
        ("https://me:secret@host.example/c/linux-64/a-1.0-0.conda", {"md5": "0" * 32}, "no password"),
        ("https://host.example/t/secret/c/linux-64/a-1.0-0.conda", {"md5": "0" * 32}, "no token"),
        ("https://host.example/c/linux-64/a-1.0-0.conda?token=x", {"md5": "0" * 32}, "no key or token"),
        ("javascript:alert(1)", {"md5": "0" * 32}, "not an http"),
        (GOOD_URL, {"md5": "xyz"}, "is not a hash"),
        (GOOD_URL, {}, "'hash' is missing"),
        (GOOD_URL, {"sha1": "0" * 40}, "is not a hash"),
    ],
)
def test_a_tampered_lockfile_is_refused(url: str, hashes: dict[str, str], word: str) -> None:
    found = faults(LOCK.format(url=url, hash=hashes))
    assert any(word in message for _, message in found), found


@pytest.mark.parametrize("name", ["A=1; touch /tmp/x; B", "", "a b", "$(id)"])
def test_a_name_that_is_no_variable_is_refused_in_a_lockfile_too(name: str) -> None:
    custom = json.dumps(json.dumps({name: "value"}))
    lock = LOCK.format(url=GOOD_URL, hash={"sha256": "0" * 64})
    found = faults(lock.replace("  sources:", f"  custom_metadata: {{variables: {custom}}}\n  sources:"))
    assert any("is not the name of an environment variable" in message for _, message in found), found


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_no_text_does_anything_but_read_or_be_refused(text: str) -> None:
    try:
        read_specification(text)
    except SpecificationError as error:
        assert error.faults


WORDS = st.sampled_from(
    ["name", "channels", "dependencies", "pip", "variables", "version", "package", "metadata", "hash"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=6))
def test_no_structure_does_anything_but_read_or_be_refused(data: dict[str, object]) -> None:
    import json

    try:
        specification = read_specification(json.dumps(data))
    except SpecificationError as error:
        assert error.faults
    else:
        assert Specification.from_json(specification.to_json()).sha256 == specification.sha256
