"""Which channels are looked at: the first that has a package, or all of them alike where the file says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_envstore.channel_maker.channel import index_channel
from jupyter_envstore.engine.question_process import main
from jupyter_envstore.engine.solve import SolveOptions, current_platform, solve
from jupyter_envstore.errors import SolveError
from jupyter_envstore.spec import Specification, read_specification
from jupyter_envstore.spec.repair import repair
from tests.helpers import Store
from tests.hostile import Raw


@pytest.fixture
def channels(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two channels: the second has a newer one of a package that both have, and what needs it."""
    shared = Raw("shared", {"share/shared": "1"})
    shared.write(tmp_path / "first")
    replace(shared, version="2.0").write(tmp_path / "second")
    Raw("above", {"share/above": "1"}, depends=["shared >=2"]).write(tmp_path / "second")
    for name in ("first", "second"):
        index_channel(tmp_path / name)
    yield (tmp_path / "first").as_uri(), (tmp_path / "second").as_uri()


def versions(channels: tuple[str, str], tmp_path: Path, any_channel: bool, *specs: str) -> dict[str, str]:
    options = SolveOptions(any_channel=any_channel)
    found = solve(specs, channels, current_platform(), tmp_path / "repodata", options=options)
    return {record["name"]: record["version"] for record in found.records}


def test_the_first_channel_that_has_a_package_is_the_only_one_for_it(channels: tuple[str, str], tmp_path: Path) -> None:
    assert versions(channels, tmp_path, False, "shared") == {"shared": "1.0"}
    with pytest.raises(SolveError, match="'channel-priority: disabled' in the file looks at all channels alike"):
        versions(channels, tmp_path, False, "above")


def test_all_channels_are_looked_at_alike(channels: tuple[str, str], tmp_path: Path) -> None:
    assert versions(channels, tmp_path, True, "shared") == {"shared": "2.0"}
    assert versions(channels, tmp_path, True, "above") == {"above": "1.0", "shared": "2.0"}


def test_a_build_and_its_preview_follow_the_file(store: Store, channels: tuple[str, str], tmp_path: Path) -> None:
    text = f"name: e\nchannels: {list(channels)}\nchannel-priority: disabled\ndependencies: [above]\n"
    view = store.build(text)
    assert view["status"] == "COMPLETED", view["reason"]
    assert "their packages are looked at alike" in store.envstore.logs.read(view["id"])
    digest = next(artifact["sha256"] for artifact in view["artifacts"] if artifact["type"] == "yaml")
    pinned = store.envstore.artifacts.path(digest).read_text()
    assert "channel-priority: disabled" in pinned
    again = store.build(pinned, name="again")
    assert again["status"] == "COMPLETED", again["reason"]
    specification = read_specification(text)
    question = {
        "do": "solve",
        "specs": list(specification.dependencies),
        "channels": list(specification.channels),
        "platforms": [],
        "timeout": 60.0,
        "kept_only": False,
        "exclude_newer": "",
        "system_requirements": {},
        "alias": "https://host.example",
        "defaults": "conda-forge",
        "default_channels": [],
        "cache": str(tmp_path / "cache"),
    }
    shown = main({**question, "any_channel": bool(specification.channel_priority)})["packages"]
    assert {package["name"]: package["version"] for package in shown} == {"above": "1.0", "shared": "2.0"}


def test_the_key_is_part_of_the_meaning_and_the_usual_value_is_not() -> None:
    plain = read_specification("dependencies: [a]\n")
    assert read_specification("dependencies: [a]\nchannel-priority: strict\n").sha256 == plain.sha256
    other = read_specification("dependencies: [a]\nchannel-priority: disabled\n")
    assert other.sha256 != plain.sha256
    assert Specification.from_json(other.to_json()) == other
    assert "channel_priority" not in plain.to_json()


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("channel_priority: disabled", "disabled"),
        ("channel-priority: disabled", "disabled"),
        ("channel_priority: strict", ""),
        ("channel_priority: flexible", ""),
        ("channel-priority: flexible", ""),
        ("channel-priority: [strict]", ""),
    ],
)
def test_what_other_tools_write_is_said_as_here_or_left_out_and_told(line: str, kept: str) -> None:
    repaired = repair(f"name: e\nchannels: [c]\n{line}\ndependencies: [python, ipykernel]\n", "e.yml")
    assert read_specification(repaired.text).channel_priority == kept
    told = " ".join(f"{change.what} {change.why}" for change in repaired.changes)
    assert ("left out it is strict or disabled" in told) == ("flexible" in line or "[" in line)
