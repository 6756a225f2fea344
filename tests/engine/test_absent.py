"""A solve that fails says all that no channel has, and for each what may have been meant."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest

from jupyter_envstore.engine.solve import SolveOptions, solve
from jupyter_envstore.errors import SolveError


def index(folder: Path, *packages: tuple[str, str, str, tuple[str, ...]]) -> str:
    """Write the index of a channel, and return its address: name, version, build, what it needs."""
    records = {
        f"{name}-{version}-{build}.tar.bz2": {
            "name": name,
            "version": version,
            "build": build,
            "build_number": 0,
            "depends": list(needs),
            "subdir": "linux-64",
            "sha256": "0" * 64,
            "timestamp": 1_700_000_000_000,
        }
        for name, version, build, needs in packages
    }
    for subdir, found in (("linux-64", records), ("noarch", {})):
        (folder / subdir).mkdir(parents=True)
        text = json.dumps({"info": {"subdir": subdir}, "packages": found, "packages.conda": {}})
        (folder / subdir / "repodata.json").write_text(text)
    return folder.as_uri()


@pytest.fixture
def known(tmp_path: Path) -> str:
    return index(
        tmp_path / "channel",
        ("python", "3.11.1", "0", ()),
        ("python", "3.12.1", "0", ()),
        ("numpy", "1.26.4", "py311_0", ("python 3.11.*",)),
        ("numpy", "2.1.0", "py312_0", ("python 3.12.*",)),
        ("scipy", "1.0", "0", ("numpy >=3",)),
        ("old", "1.0", "0", ("python 3.11.*",)),
        ("Upper_Name", "1.0", "0", ()),
    )


def refusal(tmp_path: Path, channels: list[str], *specs: str, options: SolveOptions | None = None) -> SolveError:
    with pytest.raises(SolveError) as caught:
        solve(list(specs), channels, "linux-64", tmp_path / "repodata", options=options)
    return caught.value


def test_a_channel_without_the_platform_is_told_as_such(tmp_path: Path, known: str) -> None:
    folder = tmp_path / "general"
    address = index(folder, ("python", "3.11.1", "0", ()))
    (folder / "linux-64").rename(folder / "osx-64")
    noarch = {
        "ipython-8-0.tar.bz2": {"name": "ipython", "version": "8", "build": "0", "build_number": 0, "depends": []}
    }
    text = json.dumps({"info": {"subdir": "noarch"}, "packages": noarch, "packages.conda": {}})
    (folder / "noarch" / "repodata.json").write_text(text)
    error = refusal(tmp_path, [address], "python >=3.11")
    assert f"no package python >=3.11 in {address}; the channel has no package for linux-64 at all" in str(error)
    assert "did you mean" not in str(error)
    assert "did you mean ipython" in str(refusal(tmp_path, [address, known], "ipythn"))


def test_all_misspelled_and_impossible_names_are_told_at_once(tmp_path: Path, known: str) -> None:
    specs = ("python", "nmupy", "numpy>=99", "sicpy >=1", "no-such-thing", "pywin32", "numpy =2.1.0=cuda*")
    error = refusal(tmp_path, [known], *specs)
    assert str(error).splitlines() == [
        f"no package nmupy in {known}; did you mean numpy?",
        f"no package numpy >=99 in {known}; the newest there is 2.1.0",
        f"no package sicpy in {known}; did you mean scipy?",
        f"no package no-such-thing in {known}; check its name",
        f"no package pywin32 in {known}; it is for Windows only: leave it out for linux-64",
    ]
    assert error.suggestions == {"nmupy": ("numpy",), "sicpy": ("scipy",)}


def test_a_build_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, known: str) -> None:
    message = str(refusal(tmp_path, [known], "numpy 2.1.* cuda*"))
    assert message == f"no package numpy 2.1.* cuda* in {known}; no build of that version is cuda*; there are py312_0"


def test_two_bounds_of_one_package_that_exclude_each_other_are_named(tmp_path: Path, known: str) -> None:
    message = str(refusal(tmp_path, [known], "python=3.11", "nmupy", "python=3.12"))
    first, second = message.splitlines()
    assert "no package nmupy in" in first
    assert second == "python=3.11 and python=3.12 exclude each other"
    alone = str(refusal(tmp_path, [known], "python=3.11", "python=3.12"))
    assert alone.startswith("these requirements cannot be met together:\n")


def test_what_conflicts_is_still_explained_by_the_solver_beside_what_is_absent(tmp_path: Path, known: str) -> None:
    message = str(refusal(tmp_path, [known], "old", "python=3.12"))
    assert message.startswith("these requirements cannot be met together:\n")
    assert "no package" not in message
    assert "old" in message


def test_what_a_package_needs_and_nobody_has_is_told(tmp_path: Path, known: str) -> None:
    assert "numpy >=3" in str(refusal(tmp_path, [known], "scipy"))


def test_a_channel_that_a_package_names_and_that_has_none_of_it_is_told(tmp_path: Path, known: str) -> None:
    other = index(tmp_path / "other", ("rich", "1.0", "0", ()))
    message = str(refusal(tmp_path, [known, other], f"{other}::numpy", "nmupy"))
    assert f"no package numpy in {other}; another channel has it; leave out the channel before its name" in message
    assert "no package nmupy" in message


@pytest.mark.parametrize("spec", ["Upper_Name", "upper_name", "upper_name>=1"])
def test_an_index_with_a_name_in_upper_case_is_said_to_break_the_rule(tmp_path: Path, known: str, spec: str) -> None:
    message = str(refusal(tmp_path, [known], spec))
    assert message.startswith(f"no package upper_name in {known}; the channel's index calls it Upper_Name")
    assert "CEP 26" in message


def test_a_moment_that_leaves_everything_out_is_named(tmp_path: Path, known: str) -> None:
    options = SolveOptions(exclude_newer=datetime(2020, 1, 1, tzinfo=timezone.utc))
    message = str(refusal(tmp_path, [known], "numpy", options=options))
    assert "uploaded after the cutoff date of 2020-01-01" in message
    assert "no package" not in message


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        ("__cuda", r"no package __cuda \*: the system has none; .system-requirements: \{cuda: \"VERSION\"\}"),
        ("__glibc >=2.99", r"no package __glibc >=2.99: the system has 2\.\d+; .*--virtual-package __glibc=2\.99"),
        ("__archspec 1 m99", r"no package __archspec ==1 m99: the system has 1 .+; .* __archspec=1=m99 builds"),
    ],
)
def test_a_package_for_another_machine_says_how_to_build_for_it(tmp_path: Path, needed: str, words: str) -> None:
    channel = index(tmp_path / "channel", ("picky", "1.0", "0", (needed,)))
    error = refusal(tmp_path, [channel], "picky")
    assert re.search(words, str(error)), error
    assert "picky" in str(error)
