"""Builds kept with their packages, on the command line."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.cli.test_commands import CommandLine, write


def test_packages_are_kept_checked_saved_and_brought_back_from_the_command_line(
    root: Path, nasty_channel: str, tmp_path: Path
) -> None:
    channel = Path(shutil.copytree(nasty_channel.removeprefix("file://"), tmp_path / "channel"))
    cli = CommandLine(root, tmp_path)
    cli.run("build", write(cli, channel.as_uri(), "[nasty-text, nasty-links]"))
    away = channel / "noarch" / "nasty-links-1.0-0.conda"
    away.rename(tmp_path / "away")
    partly = cli.run("keep", "default/e:1", "--packages", code=5).stdout
    assert "default/e:1 is kept but for 1 package:\n  nasty-links: nasty-links-1.0-0.conda is not at" in partly
    found = cli.json("keep", "default/e:1", "--packages", code=5)
    assert (found["state"], found["missing"], found["packages"]) == ("partly", 1, 1)
    (tmp_path / "away").rename(away)
    assert "is kept with its packages: 2 files" in cli.run("keep", "default/e:1", "--packages").stdout
    assert cli.json("keep", "default/e:1", "--packages")["state"] == "kept"
    assert "kept" in cli.run("show", "default/e:1").stdout
    assert "2 kept in the store" in cli.run("restore", "default/e:1", "--check").stdout  # it is not packed away
    assert "not packed away: it is there, " in cli.run("restore", "default/e:1", code=4).stderr

    shutil.rmtree(channel)
    assert "without" not in cli.run("backup", "with.tar", "--without-archives", "--packages").stdout
    cli.run("backup", "bare.tar", "--without-archives")
    with_packages, bare = (CommandLine(tmp_path / name, tmp_path) for name in ("with", "bare"))
    for other, name in ((with_packages, "with.tar"), (bare, "bare.tar")):
        other.run("restore-backup", name)

    checked = with_packages.run("restore", "default/e:1", "--check").stdout
    assert checked.count("kept in the store") == 3  # a row for each, and the sum
    assert "2 kept in the store\ndefault/e:1 can be brought back" in checked
    assert {source["place"] for source in with_packages.json("restore", "default/e:1", "--check")["packages"]} == {
        "kept"
    }
    prefix = with_packages.json("restore", "default/e:1")["prefix"]
    assert (Path(prefix) / "etc" / "nasty.conf").exists()

    refused = bare.run("restore", "default/e:1", "--check", code=5)
    assert "2 gone" in refused.stdout
    assert "default/e:1 cannot be brought back" in refused.stderr
    missing = bare.json("restore", "default/e:1", "--check", code=5)["missing"]
    assert sorted(missing) == ["nasty-links-1.0-0.conda", "nasty-text-1.0-0.conda"]
    refused = bare.run("restore", "default/e:1", code=5).stderr
    assert "2 packages are not to be had any more" in refused
    assert bare.typed("restore", "default/e:1 --check") in refused

    cli.run("keep", "default/e:1")
    assert cli.json("keep", "default/e:1", "--stop")["pinned"] is False
    assert "not kept with its packages any more" in cli.run("keep", "default/e:1", "--packages", "--stop").stdout
    assert cli.json("keep", "default/e:1", "--packages", "--stop")["state"] == "no"
