"""The command line, as a person or a script uses it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_envstore.cli.arguments.parser import make_parser
from jupyter_envstore.cli.display import LiveDisplay, table
from jupyter_envstore.cli.main import root_behind_command
from jupyter_envstore.engine.prefix import remove_tree
from jupyter_envstore.spec.wording import human_size
from tests.commands import run_command
from tests.helpers import serve

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
PROGRAM = str(Path(sys.executable).with_name("jupyter-envstore"))


class CommandLine:
    """Runs commands on one store, in processes of their own."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = root
        self.folder = folder

    def command(self, name: str, *arguments: str) -> list[str]:
        """Return the argument list of a command."""
        return [PROGRAM, name, "--root", str(self.root), *arguments]

    def typed(self, name: str, rest: str) -> str:
        """Return a command on this store as people are told to type it."""
        return f"jupyter envstore {name} --root {self.root} {rest}"

    def run(
        self, name: str, *arguments: str, code: int = 0, text: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command and check its exit code."""
        done = run_command(self.command(name, *arguments)[1:], self.folder, text=text)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, name: str, *arguments: str, code: int = 0) -> Any:
        """Run a command with ``--json`` and return what it prints."""
        return json.loads(self.run(name, *arguments, "--json", code=code).stdout)


@pytest.fixture
def cli(root: Path, package_cache: Path, tmp_path: Path) -> CommandLine:
    """The command line on an empty store."""
    (root / "pkgs").symlink_to(package_cache)
    return CommandLine(root, tmp_path)


def write(cli: CommandLine, channel: str, packages: str = "[nasty-text]", name: str = "e") -> str:
    """Write an environment.yml and return its name."""
    file = cli.folder / f"{name}.yml"
    file.write_text(f"name: {name}\nchannels: [{channel}]\ndependencies: {packages}\n")
    return file.name


def test_conditions_files_beside_and_the_folders_name_are_told_on_the_command_line(
    cli: CommandLine, nasty_channel: str
) -> None:
    folder = cli.folder / "climate"
    folder.mkdir()
    (folder / "requirements.txt").write_text("rich\n")
    listed = "  - nasty-text\n  - pywin32  # [win]\n  - pip:\n      - -r requirements.txt\n"
    (folder / "environment.yml").write_text(f"channels: [{nasty_channel}]\ndependencies:\n{listed}")
    done = cli.run("import", "climate/environment.yml")
    assert done.stdout.startswith("name: climate\n")
    assert "- rich" in done.stdout
    for words in ("pywin32 left out", "'-r requirements.txt' replaced by its lines", "name climate added"):
        assert words in done.stderr
    refused = cli.run("build", "climate/environment.yml", code=2)
    assert "import the file on the command line" in refused.stderr
    (folder / "plain.yml").write_text(f"name: p\nchannels: [{nasty_channel}]\ndependencies:\n  - nasty-text  # [win]\n")
    built = cli.run("build", "climate/plain.yml")
    assert "note: nasty-text (line 4) kept though [win] behind it is not so on linux-64" in built.stderr
    (warning,) = cli.json("show", "default/p")["warnings"]
    assert (warning["kind"], "kept though [win]" in warning["message"]) == ("specification", True)


def test_the_life_of_an_environment(cli: CommandLine, nasty_channel: str) -> None:
    built = cli.json("build", write(cli, nasty_channel))
    assert (built["status"], built["number"]) == ("COMPLETED", 1)
    cli.run("build", write(cli, nasty_channel, "['nasty-versions<2']"))
    shown = cli.json("show", "default/e:1")
    assert {"status", "prefix", "artifacts"} <= set(shown)
    artifact = shown["artifacts"][0]
    assert {"type", "state", "size", "sha256", "duration", "reason"} <= set(artifact)
    assert [build["number"] for build in shown["builds"]] == [2, 1]
    assert {c["change"] for c in cli.json("diff", "default/e:1", "default/e:2")} == {"added", "removed"}
    assert cli.json("activate", "default/e:1")["build"] == "default/e:1"
    assert [e["name"] for e in cli.json("list")] == ["e"]
    assert "Find versions" in cli.run("logs", "default/e:1").stdout
    listed = cli.run("list").stdout
    assert "default/e" in listed and "COMPLETED" in listed
    assert "freed" in cli.run("gc", "--dry-run").stdout
    assert "size" in cli.json("gc")
    cli.run("delete", "default/e:2", "--yes")
    assert cli.typed("undelete", "default/e") in cli.run("delete", "default/e", "--yes").stdout
    assert cli.json("list") == []
    for command in (("run", "default/e", "--", "true"), ("show", "default/e"), ("diff", "default/e", "default/x")):
        told = cli.run(*command, code=3).stderr
        assert f"default/e was deleted; for ten minutes it can come back: {cli.typed('undelete', 'default/e')}" in told
    assert "there is no environment default/x" in cli.run("show", "default/x", code=3).stderr
    assert "an environment can" in cli.run("undelete", "default/e:1", code=2).stderr
    assert cli.json("undelete", "default/e") == {"environment": "default/e", "builds": 1}
    assert [e["name"] for e in cli.json("list")] == ["e"]
    assert "undelete" not in cli.run("delete", "default/e", "--yes", "--now").stdout
    assert "no deleted environment default/e" in cli.run("undelete", "default/e", code=3).stderr
    assert "there is no environment default/e" in cli.run("show", "default/e", code=3).stderr
    assert "no environments yet" in cli.run("list").stderr


def test_a_name_may_bring_its_namespace(cli: CommandLine, nasty_channel: str) -> None:
    file = write(cli, nasty_channel)
    assert cli.json("build", file, "--name", "analytics/etl")["namespace"] == "analytics"
    assert cli.json("show", "analytics/etl")["number"] == 1
    refused = cli.run("build", file, "--name", "analytics/etl", "--namespace", "team", code=2).stderr
    assert "says namespace analytics, and the namespace is given as team; give one of them" in refused
    assert cli.typed("show", "analytics/etl") in cli.run("list", "analytics/etl", code=3).stderr
    assert cli.run("build", file, "--no-wait").stdout.startswith("default/e:")
    odd = "odd.yml"
    (cli.folder / odd).write_text((cli.folder / file).read_text().replace("name: e", "name: team/odd name"))
    assert "cannot be used" in cli.run("build", odd, code=2).stderr
    assert cli.json("build", odd, "--name", "fine")["name"] == "fine"
    added = cli.run("add", "default/fine", "nasty-versions", "--dry-run")
    assert "nasty-versions" in added.stdout
    assert cli.json("add", "default/fine", "nasty-versions")["number"] == 2


def test_packages_are_added_and_removed_without_an_editor(cli: CommandLine, nasty_channel: str) -> None:
    cli.run("build", write(cli, nasty_channel, "['nasty-text']  # mine"))
    shown = cli.run("add", "default/e", "nasty-versions <2", "--dry-run").stdout
    assert "dependencies: ['nasty-text', nasty-versions <2]  # mine" in shown
    built = cli.json("add", "default/e", "nasty-versions <2", "--remove", "nasty-text")
    assert (built["status"], built["number"], built["trigger"]) == ("COMPLETED", 2, "edit of 1")
    changes = {(c["change"], c["name"]) for c in cli.json("diff", "default/e:1", "default/e:2")}
    assert changes == {("added", "nasty-versions"), ("removed", "nasty-text")}
    assert "which packages?" in cli.run("add", "default/e", code=2).stderr
    assert "'flask' is not listed" in cli.run("add", "default/e", "--remove", "flask", code=2).stderr


def test_run_uses_the_environment_and_its_exit_code(cli: CommandLine, channel: str) -> None:
    cli.run("build", write(cli, channel, f"['python={PYTHON}']"))
    done = cli.run("run", "default/e", "--", "python", "-c", "import sys; print(sys.prefix); sys.exit(9)", code=9)
    assert done.stdout.startswith(str(cli.root / "builds"))
    assert "there is no command 'nothing'" in cli.run("run", "default/e", "--", "nothing", code=2).stderr
    assert "which command?" in cli.run("run", "default/e", code=2).stderr
    shell = cli.run("shell", "default/e", text="echo $CONDA_PREFIX\n")
    assert str(cli.root / "builds") in shell.stdout


@pytest.mark.parametrize("program", ["pip", "pip3", f"pip{PYTHON}", "uv"])
def test_no_other_pip_stands_in_where_the_environment_has_none(
    cli: CommandLine, nasty_channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    for name in (program, "mine"):
        (outer / name).write_text('#!/bin/sh\necho "outer $1 [$VIRTUAL_ENV]"\n')
        (outer / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{outer}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("VIRTUAL_ENV", str(outer))
    cli.run("build", write(cli, nasty_channel))
    refused = cli.run("run", "default/e", "--", program, "install", "humanize", code=1)
    assert "cannot be added to it from inside" in refused.stderr
    typed = cli.run("shell", "default/e", text=f"{program} install humanize\n", code=1)
    assert "jupyter envstore build environment.yml" in typed.stderr
    assert "outer" not in refused.stdout + typed.stdout
    assert cli.run("run", "default/e", "--", "mine", "runs").stdout == "outer runs []\n"


def test_download_writes_the_artifact_whole(cli: CommandLine, nasty_channel: str) -> None:
    import hashlib

    cli.run("build", write(cli, nasty_channel))
    told = cli.json("download", "default/e", "--artifact", "archive", "-o", "out.tar.gz")
    assert hashlib.sha256((cli.folder / "out.tar.gz").read_bytes()).hexdigest() == told["sha256"]
    cli.run("download", "default/e", "--artifact", "lockfile")
    assert (cli.folder / "conda-lock.yml").is_file()
    assert "@EXPLICIT" in cli.run("download", "default/e", "--artifact", "explicit", "-o", "-").stdout
    cli.run("setting", "installer_maker=self-extracting")
    installer = cli.json("download", "default/e", "--artifact", "installer")
    path = cli.folder / installer["path"]
    assert os.access(path, os.X_OK)
    assert "-b " in subprocess.run([path, "-h"], capture_output=True, text=True, check=True).stdout
    assert "known:" in cli.run("download", "default/e", "--artifact", "floppy", code=2).stderr
    cli.run("download", "default/e", "--artifact", "yaml", "-o", "/no/such/folder/x", code=6)


def test_the_command_line_says_so_where_lists_are_shown_and_downloaded(cli: CommandLine, nasty_channel: str) -> None:
    words = "works on this machine alone; for others: archive or installer"
    built = cli.run("build", write(cli, nasty_channel)).stdout
    assert built.count(words) == 3
    assert cli.run("show", "default/e").stdout.count(words) == 3
    assert f"note: this lockfile {words}" in cli.run("download", "default/e", "--artifact", "lockfile").stderr
    assert "note" not in cli.run("download", "default/e", "--artifact", "archive").stderr
    with serve(str(Path(nasty_channel.removeprefix("file://")))) as place:
        cli.run("build", write(cli, f"'http://{place}'", name="served"))
        assert cli.json("show", "default/served")["artifacts"][1]["reach"] == "here"  # nobody else reaches 127.0.0.1


def test_download_does_not_write_over_a_file_of_ones_own(cli: CommandLine, nasty_channel: str) -> None:
    cli.run("build", write(cli, nasty_channel))
    mine = cli.folder / "e.yml"
    mine.write_text("mine")
    assert "is there already" in cli.run("download", "default/e", "--artifact", "yaml", code=2).stderr
    assert mine.read_text() == "mine"
    cli.run("download", "default/e", "--artifact", "yaml", "--force")
    assert "nasty-text=" in mine.read_text()
    cli.run("download", "default/e", "--artifact", "yaml")  # the same file again


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("show", "nowhere/nothing"), 3, "there is no environment"),
        (("show", "nonsense"), 2, "NAMESPACE/NAME"),
        (("import", "bad.yml"), 2, "must be a list"),
        (("import", "good.yml", "-o", "/no/such/folder/x"), 1, "/no/such/folder/x"),
        (("build", "missing.yml"), 2, "cannot be read"),
        (("build", "bad.yml"), 2, "line 1, dependencies"),
        (("build", "picture.png"), 2, "PNG image"),
        (("build", "good.yml", "--name", "a/b/c"), 2, "environment name 'b/c' cannot be used"),
        (("build", "good.yml", "--namespace", "../x"), 2, "namespace name"),
        (("activate", "default/e"), 2, "which build?"),
        (("apply", "missing"), 2, "neither a file nor a folder"),
        (("setting", "retention_builds"), 2, "KEY=VALUE"),
        (("setting", "--scope", "nowhere", "retention_builds=1"), 3, "there is no namespace"),
        (("channel", "c", "--python", "/nowhere"), 2, "no Python at"),
    ],
)
def test_bad_input_has_its_exit_code_and_words(
    cli: CommandLine, arguments: tuple[str, ...], code: int, words: str
) -> None:
    (cli.folder / "bad.yml").write_text("dependencies: 5")
    (cli.folder / "good.yml").write_text("dependencies: [python]")
    (cli.folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00")
    done = cli.run(*arguments, code=code)
    assert words in done.stderr
    assert done.stdout == ("name: bad\ndependencies: 5\n" if arguments == ("import", "bad.yml") else "")


def test_a_failing_build_has_an_exit_code_of_its_own_and_says_why(cli: CommandLine, nasty_channel: str) -> None:
    done = cli.run("build", write(cli, nasty_channel, "[seabron]"), code=5)
    assert "no package seabron" in done.stderr
    assert json.loads(cli.run("build", "e.yml", "--json", code=5).stdout.split("\n{")[0])["status"] == "FAILED"


def test_no_wait_returns_at_once_and_the_build_goes_on_by_itself(cli: CommandLine, nasty_channel: str) -> None:
    told = cli.json("build", write(cli, nasty_channel), "--no-wait")
    assert told["build"] == "default/e:1"
    assert "Ready after" in cli.run("logs", "-f", "default/e:1").stdout
    assert cli.json("show", "default/e:1")["status"] == "COMPLETED"


def test_an_interrupt_leaves_the_build_running_and_cancel_stops_it(cli: CommandLine, nasty_channel: str) -> None:
    file = write(cli, nasty_channel, "[nasty-sleepy]")
    building = subprocess.Popen(cli.command("build", file), cwd=cli.folder, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not any(
        s["name"] == "activate" for s in (cli.json("show", "default/e:1")["steps"] if cli.json("list") else [])
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    building.send_signal(signal.SIGINT)
    assert "goes on in the background" in building.communicate(timeout=10)[1]
    assert building.returncode == 130
    assert cli.json("show", "default/e:1")["status"] == "BUILDING"
    assert "canceled" in cli.run("cancel", "default/e").stdout
    assert cli.json("show", "default/e:1")["status"] == "CANCELED"
    assert "nothing to cancel" in cli.run("cancel", "default/e", code=4).stderr


def test_apply_builds_what_changed_and_prunes_what_is_gone(cli: CommandLine, nasty_channel: str) -> None:
    write(cli, nasty_channel, "[nasty-text]", "a")
    write(cli, nasty_channel, "[nasty-links]", "b")

    def results(*arguments: str) -> dict[str, str]:
        return {line["name"]: line["result"] for line in cli.json("apply", ".", *arguments)}

    assert results("--dry-run") == {"default/a": "would build", "default/b": "would build"}
    assert results() == {"default/a": "built", "default/b": "built"}
    assert results() == {"default/a": "unchanged", "default/b": "unchanged"}
    write(cli, nasty_channel, "[nasty-short]", "a")
    (cli.folder / "b.yml").unlink()
    assert results() == {"default/a": "built"}
    assert results("--prune", "--dry-run") == {"default/a": "unchanged", "default/b": "would delete"}
    refused = cli.run("apply", ".", "--prune", code=2).stderr
    assert "--prune deletes b, which no file describes; say --yes" in refused
    assert results("--prune", "--yes") == {"default/a": "unchanged", "default/b": "deleted"}
    assert results("--prune") == {"default/a": "unchanged"}  # nothing to ask for


def test_apply_leaves_alone_what_settings_complete_and_nobody_changed(cli: CommandLine, nasty_channel: str) -> None:
    write(cli, nasty_channel)
    cli.run("setting", 'conda_included_packages=["nasty-links"]')
    assert [line["result"] for line in cli.json("apply", ".")] == ["built"]
    again = cli.json("apply", ".")
    assert [(line["result"], line["file"]) for line in again] == [("unchanged", "e.yml")]


def test_apply_with_a_broken_file_builds_the_others_and_prunes_nothing(cli: CommandLine, nasty_channel: str) -> None:
    write(cli, nasty_channel, "[nasty-text]", "a")
    cli.run("apply", ".")
    (cli.folder / "broken.yml").write_text("dependencies: 5")
    (cli.folder / "a.yml").rename(cli.folder / "a.txt")
    done = cli.run("apply", ".", "--prune", code=5)
    assert "broken.yml" in done.stdout
    assert [e["name"] for e in cli.json("list")] == ["a"]


def test_apply_tries_again_what_failed(cli: CommandLine, nasty_channel: str) -> None:
    write(cli, nasty_channel, "[no-such-package]", "a")
    assert "failed" in cli.run("apply", ".", code=5).stdout
    assert "failed" in cli.run("apply", ".", code=5).stdout
    assert "FAILED" in cli.run("list").stdout
    assert "has no build" in cli.run("show", "default/a:²", code=3).stderr


def test_of_two_files_with_one_name_the_second_is_refused(cli: CommandLine, nasty_channel: str) -> None:
    write(cli, nasty_channel, "[nasty-text]", "a")
    (cli.folder / "b.yml").write_text((cli.folder / "a.yml").read_text().replace("name: a", "name: A"))
    assert "another file describes" in cli.run("apply", ".", code=5).stdout


def test_import_and_fix_repair_and_say_what_they_changed(cli: CommandLine, nasty_channel: str) -> None:
    (cli.folder / "my stack.yml").write_text(
        f"channels:\n  - nodefaults\n  - {nasty_channel}\ndependencies:\n  - nasty-text\n"
    )
    done = cli.run("import", "my stack.yml")
    assert "name: my-stack" in done.stdout
    assert "channel nodefaults dropped" in done.stderr
    cli.run("import", "my stack.yml", "-o", "fixed.yml")
    assert "nodefaults" not in (cli.folder / "fixed.yml").read_text()
    assert cli.json("build", "my stack.yml", "--fix")["name"] == "my-stack"


def test_restore_brings_a_build_back(cli: CommandLine, nasty_channel: str) -> None:
    file = write(cli, nasty_channel)
    cli.run("build", file), cli.run("build", file)
    assert len(cli.run("setting", "retention_builds=1").stdout.splitlines()) == 2  # the heading, and what was changed
    cli.run("gc")
    assert cli.json("show", "default/e:1")["packed_away"]
    assert "packed away" in cli.run("run", "default/e:1", "--", "true", code=4).stderr
    assert "every package is to be had" in cli.run("restore", "default/e:1", "--check").stdout
    assert "is back" in cli.run("restore", "default/e:1").stdout
    assert not cli.json("show", "default/e:1")["packed_away"]


def test_an_environment_that_somebody_removed_is_shown_as_missing_and_not_brought_unasked(
    cli: CommandLine, nasty_channel: str
) -> None:
    cli.run("build", write(cli, nasty_channel))
    remove_tree(Path(cli.json("show", "default/e:1")["prefix"]))
    hint = cli.typed("restore", "default/e:1")
    assert f"is missing; bring it back: {hint}" in cli.run("show", "default/e:1").stdout
    assert "restore" in cli.run("run", "default/e", "--", "true", code=4).stderr
    assert "is back" in cli.run("restore", "default/e:1").stdout
    assert "is missing" not in cli.run("show", "default/e:1").stdout


def test_a_wrong_option_of_the_configuration_is_named(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    (cli.folder / "jupyter_envstore_config.py").write_text("c.EnvStoreApp.max_concurrent_builds = 'many'\n")
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(cli.folder))
    told = cli.run("list", code=2).stderr
    assert "the configuration cannot be used: The 'max_concurrent_builds' trait of c.EnvStoreApp expected" in told
    secret = "c.EnvStoreApp.blob_options = 'secret=topsecret'\n"
    (cli.folder / "jupyter_envstore_config.py").write_text(secret)
    told = cli.run("list", code=2).stderr
    assert "'blob_options' trait of c.EnvStoreApp expected" in told
    assert "topsecret" not in told
    assert "topsecret" not in cli.run("serve", code=2).stderr


def test_a_service_lists_what_can_be_configured(cli: CommandLine) -> None:
    listed = cli.run("serve", "--help-all").stdout
    assert re.search(r"(?m)^c\.EnvStoreApp\.database_url", listed)
    assert re.search(r"(?m)^c\.EnvStoreApp\.port = <Int>$", listed)
    assert not cli.root.joinpath("envstore.sqlite").exists()


def test_search_finds_names_and_versions(cli: CommandLine, nasty_channel: str) -> None:
    found = cli.json("search", "nasty-versions<2", "-c", nasty_channel)
    assert [package["version"] for package in found] == ["1.5", "1.0"]
    names = [package["name"] for package in cli.json("search", "nasty-c*", "-c", nasty_channel)]
    assert names == ["nasty-clobber-a", "nasty-clobber-b"]
    cli.run("search", "nothing-like-it", "-c", nasty_channel, code=3)
    cli.run("search", ">>", "-c", nasty_channel, code=2)


def test_a_channel_is_made_of_a_python_and_wheels_and_used(cli: CommandLine) -> None:
    made = cli.json("channel", "mine", "cowsay")
    assert (made["added"], made["pythons"]) == (2, [sys.version.split()[0]])
    assert cli.json("channel", "mine", "cowsay")["added"] == 0
    built = cli.json("build", write(cli, made["channel"], "[cowsay]"))
    assert built["packages"] == 2
    assert "moo" in cli.run("run", "default/e", "--", "cowsay", "-t", "moo").stdout


def test_two_pythons_in_one_channel_are_told_apart(cli: CommandLine, channel: str) -> None:
    versions = {package["version"] for package in cli.json("search", "python", "-c", channel)}
    if len(versions) < 2:
        pytest.skip("needs a second Python on this machine")
    newest = max(versions, key=lambda version: [int(part) for part in version.split(".")])
    bound = ".".join(newest.split(".")[:2])
    built = cli.json("build", write(cli, channel, f"['python<{bound}', numpy]"))
    assert built["status"] == "COMPLETED"
    done = cli.run(
        "run", "default/e", "--", "python", "-c", "import numpy, sys; print('%d.%d.%d' % sys.version_info[:3])"
    )
    assert done.stdout.strip() != newest


def test_every_command_explains_itself() -> None:
    parser = make_parser()
    commands = next(action for action in parser._actions if hasattr(action, "choices") and action.choices).choices
    assert commands is not None
    assert set(commands) >= {
        *("demo", "build", "list", "show", "logs", "cancel", "activate", "diff", "run", "shell", "apply", "import"),
        *("download", "delete", "restore", "gc", "search", "channel", "doctor", "backup", "restore-backup"),
    }
    for name, command in commands.items():
        assert command.description.strip(), name
        assert "--root" in command.format_help()


def test_sizes_and_tables_read_well() -> None:
    assert [human_size(size) for size in (0, 999, 1000, 61_234_567, 10**13)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "61.2 MB",
        "10.0 TB",
    ]
    assert table(["A", "B"], [["long cell", "x"]]).splitlines() == ["A          B", "long cell  x"]


def test_the_display_shows_each_step_once(capsys: pytest.CaptureFixture[str]) -> None:
    display = LiveDisplay(sys.stderr)
    step = {"name": "fetch", "state": "running", "done": 5, "total": 10, "unit": "bytes", "message": "a"}
    step["started_on"] = "2999-01-01T00:00:00"
    earlier = {**step, "name": "solve", "state": "done", "duration": 1.0, "started_on": "2000-01-01T00:00:00"}
    for reason in ("", "waits: the disk", "waits: the disk"):
        display.update({"status": "QUEUED", "steps": [], "reason": reason})
    for state, duration in (("running", None), ("done", 1.5), ("done", 1.5)):
        display.update({"status": "BUILDING", "steps": [earlier, {**step, "state": state, "duration": duration}]})
    display.close()
    shown = capsys.readouterr().err
    assert shown.count("Download packages") == 1
    assert "Find versions" not in shown
    assert shown.startswith("  waits: the disk\n")
    assert shown.count("waits") == 1


def test_jupyter_finds_the_command() -> None:
    jupyter = Path(sys.executable).with_name("jupyter")
    environment = {**os.environ, "PATH": f"{jupyter.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [str(jupyter), "envstore", "--version"], capture_output=True, text=True, check=False, env=environment
    )
    assert done.stdout.startswith("jupyter-envstore ")


def test_defaults_becomes_what_the_setting_says_here_too(cli: CommandLine, nasty_channel: str) -> None:
    cli.run("setting", f"defaults_channel={nasty_channel}")
    (cli.folder / "d.yml").write_text("name: d\nchannels: [defaults]\ndependencies: [nasty-text]\n")
    assert nasty_channel in cli.run("import", "d.yml").stdout
    assert cli.json("build", "d.yml", "--fix")["status"] == "COMPLETED"


def test_every_command_that_prints_prints_json_too(cli: CommandLine, nasty_channel: str) -> None:
    cli.run("build", write(cli, nasty_channel))
    cli.run("build", write(cli, nasty_channel))
    assert "Find versions" in cli.json("logs", "default/e:1")["log"]
    cli.run("setting", "retention_builds=1")
    cli.run("gc")
    assert cli.json("restore", "default/e:1", "--check")["missing"] == []
    assert cli.json("restore", "default/e:1")["prefix"]
    assert cli.json("delete", "default/e:1", "--yes") == {"deleted": "default/e:1"}
    cli.run("build", write(cli, nasty_channel, name="f"), "--no-wait")
    command = cli.command("cancel", "default/f", "--json")
    stopped = subprocess.run(command, cwd=cli.folder, capture_output=True, text=True, check=False)
    assert stopped.returncode in (0, 4)  # 4: it was built before it could be stopped
    assert json.loads(stopped.stdout)


def test_the_root_may_stand_before_the_command() -> None:
    assert root_behind_command(["--root", "/x", "list", "--json"]) == ["list", "--root", "/x", "--json"]
    assert root_behind_command(["--root=/x", "list"]) == ["list", "--root=/x"]
    assert root_behind_command(["--port", "1"]) == ["--port", "1"]
    assert root_behind_command([]) == []


def test_apply_waits_for_a_build_of_the_same_file_and_tells_its_end(cli: CommandLine, nasty_channel: str) -> None:
    cli.run("build", write(cli, nasty_channel, "[no-such-package]"), "--no-wait")
    assert "failed" in cli.run("apply", "e.yml", code=5).stdout


def test_what_cannot_be_found_or_compared_has_its_exit_code(cli: CommandLine, nasty_channel: str) -> None:
    cli.run("build", write(cli, nasty_channel))
    cli.run("build", write(cli, nasty_channel, "[no-such-package]", "bad"), code=5)
    assert "no lock to compare" in cli.run("diff", "default/bad", "default/e", code=4).stderr
    assert "no package nosuch" in cli.run("search", "nosuch", "-c", nasty_channel, code=3).stderr
    assert "there is no namespace nowhere" in cli.run("list", "nowhere", code=3).stderr
    (cli.folder / "links.yml").write_text("name: l\ndependencies: [python, {pip: [--find-links ./wheels, x]}]")
    assert "a relative folder" in cli.run("build", "links.yml", code=2).stderr


def test_a_platform_that_was_left_out_is_told(cli: CommandLine, channel: str) -> None:
    file = cli.folder / "p.yml"
    file.write_text(f"name: p\nchannels: [{channel}]\nplatforms: [win-64]\ndependencies: ['python={PYTHON}']\n")
    assert "not locked for win-64" in cli.run("build", "p.yml").stderr
    assert "win-64" in cli.json("show", "default/p")["failed_platforms"]
    assert "win-64 cannot be locked" in cli.run("build", "p.yml", "--all-platforms", code=5).stderr


def test_the_hint_at_fix_stands_only_before_faults_that_it_helps_with(cli: CommandLine) -> None:
    def refusal(text: str | bytes, *more: str) -> str:
        (cli.folder / "f.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return cli.run("build", "f.yml", *more, code=2).stderr

    many = "dependencies:\n" + "".join(f"- p{number}\n" for number in range(6000))
    for text in (b"a\0b", b"\x1f\x8bzip", "", "name,version\nnumpy,1\n", many, "dependencies: ['a b !! c']\nname: a\n"):
        assert "--fix" not in refusal(text)
    assert "can be repaired on the way: --fix" in refusal("dependencies: [a]\nprefixx: /a\n")
    partly = "dependencies: ['a b !! c', {pip: [-e /a]}]\nname: a\n"
    assert "--fix repairs a part of it" in refusal(partly)
    told = refusal(partly, "--fix").splitlines()
    assert "lines count in the repaired text: jupyter envstore import f.yml prints it" in told
    line = next(int(found[1]) for found in (re.match(r"error: line (\d+)", line) for line in told) if found)
    printed = cli.run("import", "f.yml", code=2)
    assert "a b !! c" in printed.stdout.splitlines()[line - 1]
    assert "is no version" in printed.stderr
    kept = cli.run("import", "f.yml", "-o", "out.yml", code=2)
    assert "out.yml is not written" in kept.stderr
    assert not (cli.folder / "out.yml").exists()
    assert "uv.lock" in cli.run("build", "--help").stdout
