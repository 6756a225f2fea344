"""Self-extracting installers: updated, removed, interrupted, killed, two at once; what is a user's stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.installers.conftest import NOBODY, Made, install, run


def test_updating_replaces_the_environment_and_keeps_what_was_added(science: Made, place: Path) -> None:
    prefix = place / "env"
    prefix.mkdir()
    install(science, prefix, "-f")
    (prefix / "mine.txt").write_text("mine")
    (prefix / "bin" / "flask").write_text("broken")
    told = install(science, prefix, "-u", "-t").stdout
    assert "are as they were packaged" in told
    kept = place / "env.before-1"
    assert f"kept in {kept}" in told
    assert [path.name for path in kept.iterdir()] == ["mine.txt"]
    install(science, prefix, "-u")
    assert sorted(path.name for path in place.iterdir()) == ["env", "env.before-1"]


def test_nothing_of_a_user_is_taken_for_what_an_installation_left(science: Made, place: Path) -> None:
    mine = [place / ".env.installing-notes" / "mine.txt", place / ".env.installing-12345678" / "mine.txt"]
    for path in mine:
        path.parent.mkdir()
        path.write_text("mine")
    install(science, place / "env")
    assert all(path.read_text() == "mine" for path in mine)
    prefix = place / "env"
    (prefix / "empty").mkdir()
    (place / "elsewhere").mkdir()
    (prefix / "etc").rename(place / "elsewhere" / "etc")
    (prefix / "etc").symlink_to(place / "elsewhere" / "etc")
    before = sorted(path.name for path in (place / "elsewhere").rglob("*"))
    told = run("/bin/sh", prefix / "uninstall.sh", "-b", "-r", "env", cwd=place).stdout  # a path that is not whole
    assert "stays" in told
    assert sorted(path.name for path in prefix.iterdir()) == ["empty", "etc"]
    assert sorted(path.name for path in (place / "elsewhere").rglob("*")) == before
    install(science, place / "other")
    refused = run("/bin/sh", place / "other" / "uninstall.sh", "-b", "-r", place, code=1).stderr
    assert "is no environment that this installer made" in refused


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may become somebody else")
def test_what_cannot_be_removed_is_told_and_can_be_tried_again(science: Made, place: Path) -> None:
    prefix = place / "env"
    install(science, prefix)
    run("chown", "-R", f"{NOBODY}:{NOBODY}", place, env={"PATH": os.environ["PATH"]})
    locked_folder = next((prefix / "lib").glob("python3.*/site-packages/numpy"))
    os.chown(locked_folder, 0, 0)
    as_nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/bin/sh"]
    told = run(*as_nobody, prefix / "uninstall.sh", "-b", code=1, env={"PATH": os.environ["PATH"]})
    assert "not all files" in told.stderr
    os.chown(locked_folder, NOBODY, NOBODY)
    run("/bin/sh", prefix / "uninstall.sh", "-b")
    assert not prefix.exists()


def test_removing_leaves_what_was_added(science: Made, place: Path) -> None:
    prefix = place / "env"
    install(science, prefix)
    site = next((prefix / "lib").glob("python3.*/site-packages"))
    (site / "mine.py").write_text("import numpy")
    run(prefix / "bin" / "python", "-c", "import mine")
    assert run("/bin/sh", prefix / "uninstall.sh", code=2, input="no\n").stdout.endswith("Nothing was removed.\n")
    assert (prefix / "bin" / "python").exists()
    told = run("/bin/sh", prefix / "uninstall.sh", input="yes\n").stdout
    assert "has files that were added" in told
    assert [str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()] == [
        str(site.relative_to(prefix) / "mine.py")
    ]
    refused = run("/bin/sh", science.path, "-b", "-p", prefix, code=1).stderr
    assert "exists already" in refused


def test_an_interruption_leaves_what_was_there(science: Made, place: Path) -> None:
    prefix = place / "deep" / "env"
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = subprocess.Popen(
            ["/bin/sh", str(science.path), "-b", "-p", str(prefix)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            start_new_session=True,
        )
        deadline = time.monotonic() + 60
        while not list(place.glob("deep/.env.installing-*/bin")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, number)
        process.communicate(timeout=60)
        assert process.returncode == expected
        assert list(place.iterdir()) == []


def test_what_a_killed_installation_left_is_taken_away_by_the_next(science: Made, place: Path) -> None:
    process = subprocess.Popen(
        ["/bin/sh", str(science.path), "-b", "-p", str(place / "env")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={},
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(place.glob(".env.installing-*/bin")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (place / "env").exists()
    install(science, place / "env")
    assert [path.name for path in place.iterdir()] == ["env"]


def test_an_update_that_was_killed_between_its_renames_is_put_right(science: Made, place: Path) -> None:
    install(science, place / "env")
    (place / "env" / "mine.txt").write_text("mine")
    ended = subprocess.Popen(["true"])
    ended.wait()
    mark = f"{os.uname().nodename} {ended.pid}\n"
    (place / "env" / ".envstore-installing").write_text(mark)
    (place / "env").rename(place / f".env.replaced-{ended.pid}")
    told = install(science, place / "env", code=1)
    assert "which an update had lost, is back" in told.stdout
    assert "exists already" in told.stderr
    assert [path.name for path in place.iterdir()] == ["env"]
    assert (place / "env" / "mine.txt").read_text() == "mine"
    left = place / f".env.replaced-{ended.pid}"  # what is left where it was killed while the old one was cleared away
    left.mkdir()
    (left / ".envstore-installing").write_text(mark)
    (place / ".env.replaced-123").mkdir()  # somebody's own, which has no mark
    (left / "more.txt").write_text("more")
    assert "env.before-1" in install(science, place / "env", "-u").stdout
    kept = sorted(str(path.relative_to(place)) for path in place.glob("env.before-*/*"))
    assert kept == ["env.before-1/more.txt", "env.before-2/mine.txt"]
    assert (place / ".env.replaced-123").is_dir()
    assert not list(place.rglob(".envstore-installing"))


def test_of_two_at_once_in_one_place_one_is_done_and_the_other_told(science: Made, place: Path) -> None:
    command = ["/bin/sh", str(science.path), "-b", "-p", str(place / "env")]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={}) for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[1] for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], told
    assert any("appeared while this ran" in text or "exists already" in text for text in told)
    assert [path.name for path in place.iterdir()] == ["env"]
    run(place / "env" / "bin" / "python", "-c", "import numpy")
    assert not [path for path in (place / "env").iterdir() if path.name.startswith(".env")]
