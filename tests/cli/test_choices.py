"""What is taken of a file that offers several things: ``--environment`` and ``--category`` of the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from jupyter_envstore.spec.selectors import current_subdir
from tests.cli.test_commands import CommandLine

PIXI = """\
[workspace]
name = "several"
channels = ["{channel}"]
platforms = ["{platform}"]
[dependencies]
nasty-text = "*"
[feature.binary.dependencies]
nasty-binary = "*"
[environments]
binary = ["binary"]
"""


@pytest.fixture
def line(root: Path, package_cache: Path, tmp_path: Path) -> CommandLine:
    """The command line on an empty store."""
    (root / "pkgs").symlink_to(package_cache)
    return CommandLine(root, tmp_path)


def test_an_environment_of_a_pixi_toml_is_chosen_for_import_and_build(line: CommandLine, nasty_channel: str) -> None:
    (line.folder / "pixi.toml").write_text(PIXI.format(channel=nasty_channel, platform=current_subdir()))
    plain = line.run("import", "pixi.toml")
    assert "nasty-binary" not in plain.stdout
    assert "environment default of 2 taken (others: binary)" in plain.stderr
    assert "choose another environment with: --environment NAME" in plain.stderr
    chosen = line.json("import", "pixi.toml", "--environment", "binary")
    assert yaml.safe_load(chosen["text"])["dependencies"] == ["nasty-text", "nasty-binary"]
    assert chosen["offer"]["environment"] == "binary"
    assert chosen["offer"]["environments"] == ["default", "binary"]

    built = line.json("build", "pixi.toml", "--environment", "binary", "--name", "chosen")  # without --fix
    assert built["packages"] == 2
    refused = line.run("build", "pixi.toml", "--environment", "gpu", code=2)
    assert "the file has no environment 'gpu'; choose with --environment: default, binary" in refused.stderr
    refused = line.run("build", "pixi.toml", "--category", "dev", code=2)
    assert "the file has no category 'dev'" in refused.stderr


def test_packages_are_added_with_the_date_of_the_build_before_until_somebody_says_otherwise(
    line: CommandLine, nasty_channel: str
) -> None:
    (line.folder / "e.yml").write_text(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]\n")
    assert line.json("build", "e.yml", "--exclude-newer", "2999-01-31")["exclude_newer"] == "2999-01-31"
    added = line.run("add", "default/e", "nasty-binary")
    assert "packages uploaded after 2999-01-31 are left out, as in default/e:1; or: --take-newer" in added.stderr
    assert "packages uploaded after 2999-01-31 were left out" in line.run("show", "default/e").stdout
    assert line.json("show", "default/e")["exclude_newer"] == "2999-01-31"
    assert line.json("add", "default/e", "nasty-short", "--take-newer")["exclude_newer"] is None


def test_categories_of_a_lockfile_are_chosen_for_import_and_build(line: CommandLine, nasty_channel: str) -> None:
    (line.folder / "e.yml").write_text(
        f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text, nasty-binary]\n"
    )
    first = line.json("build", "e.yml")
    line.run("download", "default/e", "--artifact", "lockfile", "-o", "lock.yml")
    lock = yaml.safe_load((line.folder / "lock.yml").read_text())
    assert len(lock["package"]) == first["packages"] == 2
    for package in lock["package"]:
        package["category"] = "docs" if package["name"] == "nasty-binary" else "main"
    (line.folder / "conda-lock.yml").write_text(yaml.safe_dump(lock))

    plain = line.json("build", "conda-lock.yml", "--name", "plain")
    assert plain["packages"] == 1
    told = line.run("import", "conda-lock.yml").stderr
    assert "1 package of other categories left out: docs; they are chosen by category" in told
    assert "choose more categories with: --category NAME (docs)" in told
    both = line.json("build", "conda-lock.yml", "--category", "main", "--category", "docs", "--name", "both")
    assert both["packages"] == 2
    docs = json.loads(line.json("import", "conda-lock.yml", "--category", "docs")["text"])
    assert sorted(package["name"] for package in docs["package"]) == ["nasty-binary", "nasty-text"]  # with main, always
    refused = line.run("build", "conda-lock.yml", "--category", "gpu", code=2)
    assert "the lockfile has no category gpu; it has docs, main" in refused.stderr
    refused = line.run("build", "conda-lock.yml", "--environment", "docs", code=2)
    assert "the file has no environment 'docs'" in refused.stderr
    refused = line.run("import", "e.yml", "--category", "docs", code=2)
    assert "a file of this kind has none to choose from" in refused.stderr
