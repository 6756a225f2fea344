"""Large files are read once on their way, and what is read fast says the same as what is read with its places."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.document import read_table
from jupyter_envstore.spec.fast_yaml import read_plain
from jupyter_envstore.spec.included_files import FilesBeside
from jupyter_envstore.spec.locks import plain
from jupyter_envstore.spec.repair import Repaired, repair

SHA = "a" * 64
LOCK = f"""\
version: 1
metadata:
  content_hash: {{linux-64: abc}}
  channels: [{{url: c, used_env_vars: []}}]
  platforms: [linux-64]
  sources: []
package:
- name: zlib
  version: 1.10
  manager: conda
  platform: linux-64
  dependencies: {{libc: '>=2', other: ''}}
  url: https://host.example/c/linux-64/zlib-1.10-h0_0.conda
  hash: {{md5: null, sha256: {SHA}}}
  category: main
  optional: no
"""
PIXI = f"""\
version: 6
environments:
  default:
    channels: [{{url: https://host.example/c/}}]
    packages:
      linux-64:
      - conda: https://host.example/c/linux-64/zlib-1.10-h0_0.conda
packages:
- conda: https://host.example/c/linux-64/zlib-1.10-h0_0.conda
  sha256: {SHA}
  depends: [libc >=2]
"""
EXPLICIT = f"@EXPLICIT\nhttps://host.example/c/linux-64/zlib-1.10-h0_0.conda#{'b' * 32}\n"
ENVIRONMENT = "name: data\nchannels: [conda-forge]\ndependencies: [python=3.12, ipykernel, pip, {pip: [requests]}]\n"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that YAML's loader is given from here on."""
    found: list[str] = []
    loader: Any = yaml.CSafeLoader

    def counted(text: str) -> Any:
        found.append(text)
        return loader(text)

    monkeypatch.setattr(yaml, "CSafeLoader", counted)
    return found


def way(text: str, name: str) -> tuple[Repaired, Specification]:
    repaired = repair(text, name)
    return repaired, read_specification(repaired.text, held=repaired.held)


@pytest.mark.parametrize(
    ("text", "name", "times"),
    [
        (LOCK, "conda-lock.yml", 1),
        (PIXI, "pixi.lock", 1),
        (EXPLICIT, "explicit.txt", 0),
        (json.dumps(plain(read_table(LOCK))), "conda-lock.yml", 0),
        (ENVIRONMENT, "environment.yml", 1),
    ],
)
def test_a_file_that_needs_no_change_is_read_once(text: str, name: str, times: int, readings: list[str]) -> None:
    repaired, found = way(text, name)
    assert len(readings) == times
    assert found == read_specification(repaired.text)  # the same as what its text says


def test_a_lockfile_is_read_once_without_repair(readings: list[str]) -> None:
    lock = read_specification(LOCK).lockfile
    assert lock is not None
    assert lock["package"][0]["version"] == "1.10"  # as it was written, not as a number
    assert lock["package"][0]["optional"] is False
    assert len(readings) == 1


@pytest.mark.parametrize(
    "text",
    [
        LOCK,
        PIXI,
        "a: [1, 2.50, 0x1f, 1_000, 12:30, 2026-01-01, ~, null, yes, off, '', \"true\", 'null', |\n  block\n]\n".replace(
            "|\n  block\n", "plain"
        ),
        "a: >-\n  folded\n  text\nb: |\n  kept\n'quoted key': {x: [], y: {}}\n2: two\n~: none\n",
        '{"a": [1, 2.50, true, null, "true"], "b": {"c": []}}',
        "a:\n- b\n-\n- - c\n",
    ],
)
def test_what_is_read_fast_is_what_is_read_with_its_places(text: str) -> None:
    assert read_plain(text) == plain(read_table(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: 1\na: 2\n",
        '{"a": 1, "a": 2}',
        "[a]: 1\n",
        "a: 1\n---\nb: 2\n",
        "- a\n",
        "a: [\n",
        "",
        '{"a": "\\ud800"}',
        '{"a": "\x7f"}',
        '{"a": ' + "[" * 20 + "]" * 20 + "}",
        "a: " + "[" * 20 + "]" * 20 + "\n",
    ],
)
def test_what_is_unusual_or_wrong_is_left_to_what_knows_its_lines(text: str) -> None:
    assert read_plain(text) is None


@pytest.mark.parametrize("read", [read_specification, lambda text: way(text, "conda-lock.yml")])
@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("version: 1.10", "version: 1.11", 13, "is not zlib 1.11"),
        ("category: main", "kategory: main", 15, "unknown key 'kategory'"),
        (f"sha256: {SHA}", "sha256: null", 14, "zlib has no hash"),
        ("manager: conda", "manager: conda\n  manager: pip", 11, "stands twice"),
        ("platforms: [linux-64]", "platforms: linux-64", 2, "must hold 'platforms'"),
    ],
)
def test_faults_of_a_lockfile_have_their_lines(
    read: Callable[[str], Any], before: str, after: str, line: int, words: str
) -> None:
    with pytest.raises(SpecificationError) as caught:
        read(LOCK.replace(before, after))
    assert [fault.line for fault in caught.value.faults] == [line]
    assert words in str(caught.value)


def test_thousands_of_lines_of_another_file_are_taken_in_at_once(tmp_path: Path, readings: list[str]) -> None:
    wanted = [f"package-{number}==1.{number}" for number in range(3000)]
    (tmp_path / "requirements.txt").write_text("\n".join(wanted))
    text = "name: a\ndependencies:\n  - python=3.12\n  - ipykernel\n  - pip:\n    - -r requirements.txt\n    - last\n"
    repaired = repair(text, "environment.yml", beside=FilesBeside(tmp_path))
    found = read_specification(repaired.text, held=repaired.held)
    assert found.pip == ("last", *wanted)
    assert len(readings) < 10


def test_a_loader_that_cannot_be_compiled_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader")
    importlib.invalidate_caches()
    assert way(LOCK, "conda-lock.yml")[1].lockfile == read_specification(LOCK).lockfile
    assert read_plain(PIXI) == plain(read_table(PIXI))


@pytest.mark.parametrize("head", ["", "# made by hand\n\n", "---\n", "\n  # a comment\n--- # another\n"])
@pytest.mark.parametrize("form", ["block", "quoted", "braces"])
def test_a_lockfile_in_any_form_is_known_as_one(head: str, form: str) -> None:
    value = plain(read_table(LOCK))
    text = {
        "block": LOCK,
        "quoted": re.sub(r"(?m)^(\w+):", r'"\1":', LOCK),
        "braces": json.dumps(value, indent=4).replace('"linux-64"\n', '"linux-64",\n'),  # a comma at the end
    }[form]
    repaired, found = way(head + text, "some.yaml")
    assert repaired.kind == "lockfile"
    assert found.lockfile == read_specification(LOCK).lockfile == read_specification(head + text).lockfile
