"""A build from an environment.yml to a prefix that works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_envstore.builds.activation import activation_variables
from jupyter_envstore.builds.log_keeping import keep_log
from jupyter_envstore.cli.use import activated_environment
from jupyter_envstore.database.connection import now
from jupyter_envstore.database.models import LogChunk
from jupyter_envstore.engine.prefix import tree_size
from jupyter_envstore.engine.sandbox import Unbounded
from jupyter_envstore.errors import ConflictError, EnvStoreError, InvalidInputError, NotFoundError
from jupyter_envstore.services.values import LogMark
from tests.helpers import Store

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def run(prefix: str, *command: str) -> str:
    """Run a program of a prefix, activated, and return what it prints."""
    environment = activated_environment(Path(prefix), Path(prefix).parents[1] / "shims")
    done = subprocess.run(
        [str(Path(prefix) / "bin" / command[0]), *command[1:]],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_built_environment_runs(built: Store) -> None:
    view = built.data
    assert view["status"] == "COMPLETED"
    code = "import numpy, pandas, flask, ssl, sqlite3, ctypes, sys, cowsay; print(numpy.arange(3).sum(), sys.prefix)"
    assert run(view["prefix"], "python", "-c", code).split() == ["3", view["prefix"]]


def test_activation_sets_the_variables_to_the_letter(built: Store) -> None:
    code = "import os; print(os.environ['GREETING'])"
    assert run(built.data["prefix"], "python", "-c", code) == 'it\'s "fine" $HOME\n'


def test_conda_and_pip_scripts_name_the_final_prefix(built: Store) -> None:
    for script in ("flask", "cowsay"):
        first = (Path(built.data["prefix"]) / "bin" / script).read_bytes().splitlines()[0].decode()
        assert first.startswith(f"#!{built.data['prefix']}/bin/python")
    assert "moo" in run(built.data["prefix"], "cowsay", "-t", "moo")


def test_every_step_is_kept_with_its_end_and_its_progress(built: Store) -> None:
    steps = {step["name"]: step for step in built.data["steps"]}
    assert list(steps)[:6] == ["solve", "fetch", "pip", "record", "link", "activate"]
    assert all(step["state"] == "done" and step["duration"] is not None for step in steps.values())
    assert steps["fetch"]["unit"] == "bytes"
    assert steps["fetch"]["done"] == steps["fetch"]["total"] > 1_000_000


def test_the_log_is_for_people_and_kept_after_the_build(built: Store) -> None:
    log = built.envstore.logs.read(built.data["id"])
    assert "Find versions: done in" in log
    assert "packages, " in log
    assert "files are hard links into the package cache" in log
    assert "Traceback" not in log
    assert len(log.splitlines()) < 60


def test_what_a_log_has_behind_a_mark_is_told_once_though_its_pieces_become_a_blob_in_between(
    store: Store, nasty_channel: str
) -> None:
    ref = store.submit(f"name: marks\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    envstore, mark, seen, written = store.envstore, LogMark(), b"", ""
    for pieces in (2, 4, 6):
        for number in range(pieces):
            text = f"{number} of {pieces}\n"
            written += text
            with envstore.database.write() as session:
                session.add(LogChunk(build_id=ref.id, text=text, created_on=now()))
            more, mark, _ = envstore.logs.since(ref.id, mark)
            seen += more
        keep_log(envstore.database, envstore.blobs, ref.id, ("QUEUED",))
        more, mark, _ = envstore.logs.since(ref.id, mark)
        seen += more
    assert seen.decode() == written == envstore.logs.read(ref.id)


def test_byte_code_is_shared_and_names_no_prefix(built: Store) -> None:
    prefix = Path(built.data["prefix"])
    compiled = next((prefix / "lib").glob(f"python{PYTHON}/site-packages/flask/__pycache__/app.*.pyc"))
    assert compiled.stat().st_nlink > 1
    assert str(prefix).encode() not in compiled.read_bytes()
    code = "import flask.app; print(flask.app.__cached__, flask.Flask.run.__code__.co_filename)"
    cached, source = run(str(prefix), "python", "-c", code).split()
    assert (Path(cached), source) == (compiled, str(prefix / f"lib/python{PYTHON}/site-packages/flask/app.py"))


def test_a_finished_prefix_cannot_be_changed_and_pip_says_how_to_add_a_package(built: Store) -> None:
    prefix = Path(built.data["prefix"])
    folders = [path for path in prefix.rglob("*") if path.is_dir() and not path.is_symlink()]
    assert all(path.stat().st_mode & 0o222 == 0 for path in folders)
    marker = prefix / "lib" / f"python{PYTHON}" / "EXTERNALLY-MANAGED"
    assert "specification" in marker.read_text()


def test_the_link_of_an_environment_leads_to_its_active_build(built: Store) -> None:
    assert (built.root / "envs" / "team" / "data").resolve() == Path(built.data["prefix"]).resolve()


def test_nothing_unfinished_stays(built: Store) -> None:
    assert built.files() == {f"builds/{Path(built.data['prefix']).name}"}


def test_the_same_specification_twice_makes_two_builds_that_share_their_files(store: Store, channel: str) -> None:
    text = f"""
        name: twice
        channels: [{channel}]
        dependencies: ["python={PYTHON}", flask]
        """
    first, second = store.build(text), store.build(text)
    assert (first["number"], second["number"]) == (1, 2)
    assert {a["type"]: a["sha256"] for a in first["artifacts"]} == {a["type"]: a["sha256"] for a in second["artifacts"]}
    total, own = tree_size(Path(second["prefix"]))
    assert own < 0.1 * total
    assert second["active"] and not store.envstore.builds.show(first["id"])["active"]


def test_rolling_back_makes_an_older_build_active_and_foreign_ones_are_refused(
    store: Store, nasty_channel: str
) -> None:
    text = "name: {}\nchannels: [{}]\ndependencies: ['nasty-versions{}']"
    first = store.build(text.format("a", nasty_channel, "<2"))
    second = store.build(text.format("a", nasty_channel, ""))
    assert store.envstore.packages.diff(first["id"], second["id"]) == [
        {"change": "changed", "manager": "conda", "name": "nasty-versions", "from": "1.5 0", "to": "2.1 0"}
    ]
    store.envstore.environments.activate("team", "a", "1")
    assert (store.root / "envs" / "team" / "a").resolve() == Path(first["prefix"]).resolve()
    other = store.build(text.format("b", nasty_channel, ""))
    with pytest.raises(NotFoundError, match="has no build"):
        store.envstore.environments.activate("team", "b", first["key"])
    with pytest.raises(ConflictError, match="is the active one"):
        store.envstore.builds.delete(other["id"])


def test_names_differ_by_more_than_their_case(store: Store, nasty_channel: str) -> None:
    text = f"channels: [{nasty_channel}]\ndependencies: [nasty-text]"
    store.submit(text, "Team", "Data")
    again = store.submit(text, "team", "data")
    assert (again.namespace, again.name, again.number) == ("Team", "Data", 2)


@pytest.mark.parametrize("name", ["a/b", "..", "a\0b", "grün", "x" * 300, "-a", "", "a b"])
def test_a_name_that_cannot_be_used_is_refused_and_nothing_is_kept(store: Store, name: str) -> None:
    with pytest.raises(InvalidInputError):
        store.submit("dependencies: [python]", "team", name)
    assert store.envstore.environments.list_all() == []


def test_a_solver_conflict_is_explained_by_the_solver(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: conflict\nchannels: [{nasty_channel}]\ndependencies: [nasty-needs-old, nasty-needs-new]")
    assert view["status"] == "FAILED"
    assert "nasty-versions >=2" in view["reason"]
    assert "cannot be met together" in view["reason"]
    assert store.files() == set()


def test_a_failed_rebuild_leaves_the_active_build_alone(store: Store, nasty_channel: str) -> None:
    good = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    bad = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [no-such-package]")
    assert bad["status"] == "FAILED"
    assert "no package no-such-package in" in bad["reason"]
    assert store.envstore.builds.find("team", "e").id == good["id"]


def test_an_activation_that_ends_the_shell_fails_the_build_with_its_words(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-failing]")
    assert view["status"] == "FAILED"
    named = "activation fails: etc/conda/activate.d/failing.sh of nasty-failing ends the shell and says: "
    assert f"{named}nasty: no licence found" in view["reason"]
    assert store.files() == set()


def test_an_activation_that_does_not_end_names_the_script_and_its_package(
    store: Store, nasty_channel: str, tmp_path: Path
) -> None:
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-activation, nasty-text]")
    prefix = Path(view["prefix"])
    folder = prefix / "etc" / "conda" / "activate.d"
    owned = next(folder.iterdir()).name
    (folder / owned).unlink()
    (folder / owned).write_text("set -o noclobber\nsleep 60\n")
    with pytest.raises(EnvStoreError, match=f"within 1 s: etc/conda/activate.d/{owned} of nasty-activation waits"):
        activation_variables(prefix, tmp_path, Unbounded(), 1.0)
    (folder / owned).write_text("set -o noclobber\n")
    (folder / "zz last.sh").write_text("exit 3\n")
    with pytest.raises(EnvStoreError, match=r"fails: etc/conda/activate.d/zz last.sh ends the shell$"):
        activation_variables(prefix, tmp_path, Unbounded())


def test_scripts_written_for_bash_run_and_what_they_complain_of_is_logged(store: Store, nasty_channel: str) -> None:
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-grumbling]")
    assert view["status"] == "COMPLETED", view["reason"]
    assert activated_environment(Path(view["prefix"]), store.root / "shims")["GRUMBLE"] == "a-compiler.sh"
    assert "activation says:" in store.envstore.logs.read(view["id"])
    assert "no-such-command-here" in store.envstore.logs.read(view["id"])


def test_workers_see_no_secrets_of_the_server(
    store: Store, nasty_channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "secret-of-the-server")
    store.submit(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-sleepy]")
    store.until(lambda: any(job.pid for job in store.jobs()))
    environment = Path(f"/proc/{store.jobs()[0].pid}/environ")
    if not environment.exists():
        pytest.skip("needs a /proc file system")
    assert b"secret-of-the-server" not in environment.read_bytes()
    assert b"PATH=" in environment.read_bytes()


def test_a_relative_working_directory_of_the_caller_does_not_matter(
    store: Store, nasty_channel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    view = store.build(f"name: e\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    assert view["status"] == "COMPLETED"
    assert list(tmp_path.iterdir()) == []
