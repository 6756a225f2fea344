"""Self-extracting installers: updated, removed, interrupted, killed, two at once; what is a user's stays."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.helpers import Store
from tests.installers.conftest import NOBODY, Made, install, installer_of, run


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
    mine = [place / ".env.installing-notes" / "mine.txt", place / ".env.envstore-installing-1" / "mine.txt"]
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
    cached = locked_folder.parent / "__pycache__"
    cached.mkdir(exist_ok=True)
    (cached / "mine.pyc").write_text("")
    os.chown(cached, 0, 0)
    told = run(*as_nobody, prefix / "uninstall.sh", "-b", code=1, env={"PATH": os.environ["PATH"]})
    assert "not all files" in told.stderr
    os.chown(cached, NOBODY, NOBODY)
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


DEAD = f"{os.uname().nodename} {os.readlink('/proc/self/ns/pid')} 999999999 1"  # noqa: PTH115 - it leads nowhere
"""A lock of a process of this machine that does not run."""


def started(made: Made, prefix: Path, *options: str) -> subprocess.Popen[str]:
    """Start an installer in a process group of its own."""
    return subprocess.Popen(
        ["/bin/sh", str(made.path), "-b", "-p", str(prefix), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={},
        start_new_session=True,
    )


def stopped_while_unpacking(made: Made, prefix: Path, *options: str) -> subprocess.Popen[str]:
    """Start an installer, and stop all of it while it unpacks: it goes on when :func:`let_go` lets it.

    Whether it was still unpacking is seen once it has stopped; one that was done before is let end, and another one
    is started.
    """
    for _ in range(20):
        process = started(made, prefix, *options)
        while process.poll() is None and not list(prefix.parent.glob(f".{prefix.name}.envstore-installing/new.*/bin")):
            time.sleep(0.002)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGSTOP)
            if len(unpacking(process)) > 1:
                return process
            let_go(process)
        told = process.communicate(timeout=120)
        assert process.returncode == 0, told
        if "-u" not in options:
            run("/bin/sh", prefix / "uninstall.sh", "-b")
    pytest.fail("no installation could be stopped while it unpacked")


def unpacking(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the processes of a stopped installer that unpack, once none of it runs any more."""
    while True:
        with contextlib.suppress(psutil.NoSuchProcess):  # one ended before it could be stopped
            members = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            states = [member.status() for member in members]
            if set(states) <= {psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE}:
                found = zip(members, states, strict=True)
                return [member for member, state in found if state == psutil.STATUS_STOPPED and member.name() == "tar"]
        time.sleep(0.002)


def let_go(process: subprocess.Popen[str]) -> None:
    """Let a stopped installer go on; signals that it was sent meanwhile come first."""
    os.killpg(process.pid, signal.SIGCONT)


def test_an_interruption_leaves_what_was_there(science: Made, place: Path) -> None:
    prefix = place / "deep" / "env"
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        process = stopped_while_unpacking(science, prefix)
        os.killpg(process.pid, number)
        let_go(process)
        process.communicate(timeout=60)
        assert process.returncode == expected
        assert list(place.iterdir()) == []


def test_who_stops_the_shell_alone_stops_all_that_unpacks(science: Made, place: Path) -> None:
    for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        process = stopped_while_unpacking(science, place / "env")
        at_work = psutil.Process(process.pid).children(recursive=True)
        assert [child.name() for child in at_work].count("tar") > 1
        os.kill(process.pid, number)
        let_go(process)
        process.communicate(timeout=60)  # all of them have its output
        assert process.returncode == expected
        _, alive = psutil.wait_procs(at_work, timeout=5)  # each is ending: all of them have let go of the output
        assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
        assert list(place.iterdir()) == []


def test_what_a_killed_installation_left_is_taken_away_by_the_next(science: Made, place: Path) -> None:
    process = stopped_while_unpacking(science, place / "env")
    refused = install(science, place / "env", code=1).stderr
    assert f"another installation is at work on {place}/env (process " in refused
    os.killpg(process.pid, signal.SIGKILL)  # nobody has asked after it yet: a zombie holds nothing
    time.sleep(0.2)
    assert not (place / "env").exists()
    install(science, place / "env")
    process.communicate()
    assert [path.name for path in place.iterdir()] == ["env"]
    run("/bin/sh", place / "env" / "uninstall.sh", "-b")
    (place / ".env.envstore-installing").mkdir(0o700)  # killed before it had the lock
    install(science, place / "env")
    assert [path.name for path in place.iterdir()] == ["env"]


def test_an_update_that_was_killed_between_its_renames_is_put_right(science: Made, place: Path) -> None:
    install(science, place / "env")
    (place / "env" / "mine.txt").write_text("mine")
    work = place / ".env.envstore-installing"
    work.mkdir(0o700)
    (work / "lock.1").symlink_to(DEAD)
    (work / "new.1").mkdir()
    (place / "env").rename(work / "old")
    told = install(science, place / "env", code=1)
    assert "which an update had lost, is back" in told.stdout
    assert "exists already" in told.stderr
    assert [path.name for path in place.iterdir()] == ["env"]
    assert (place / "env" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["old", "replaced"])
def test_an_update_that_was_killed_while_it_cleared_the_old_one_away_is_ended(
    science: Made, place: Path, name: str
) -> None:
    work = place / ".env.envstore-installing"
    install(science, place / "env")
    (place / "env" / "lib" / "mine.txt").write_text("mine")
    work.mkdir(0o700)
    shutil.copy(place / "env" / "uninstall.sh", work)
    (place / "env").rename(work / name)
    for path in list((work / name / "lib").glob("lib*"))[:5]:
        path.unlink()
    install(science, place / "other")
    (place / "other").rename(place / "env")
    told = install(science, place / "env", code=1)
    assert "exists already" in told.stderr
    assert sorted(path.name for path in place.iterdir()) == ["env", "env.before-1"]
    kept = [str(path.relative_to(place / "env.before-1")) for path in (place / "env.before-1").rglob("*")]
    assert sorted(kept) == ["lib", "lib/mine.txt"]


def test_several_at_once_in_one_place_wait_for_nobody_and_lose_nothing(science: Made, place: Path) -> None:
    for options in ((), ("-u",)):
        several = [started(science, place / "env", *options) for _ in range(2)]
        told = [process.communicate(timeout=120)[1] for process in several]
        codes = sorted(process.returncode for process in several)
        assert codes[0] == 0 and set(codes) <= {0, 1}, told
        for process, text in zip(several, told, strict=True):
            assert process.returncode == 0 or "another installation is at work" in text or "exists already" in text
        run(place / "env" / "bin" / "python", "-c", "import numpy")
        if not options:
            assert [path.name for path in place.iterdir()] == ["env"]
            (place / "env" / "mine.txt").write_text("mine")
    assert sorted(path.name for path in place.iterdir()) == ["env", "env.before-1"]
    assert [path.name for path in (place / "env.before-1").iterdir()] == ["mine.txt"]


def test_a_place_that_another_machine_works_on_is_left_alone(science: Made, place: Path) -> None:
    work = place / ".env.envstore-installing"
    work.mkdir(0o700)
    (work / "lock.1").symlink_to("elsewhere - 1 -")
    (work / "new.1").mkdir()
    told = install(science, place / "env", code=1).stderr
    assert "an installation on another machine or in another container, elsewhere," in told
    assert f"rm {work}/lock.*" in told
    assert sorted(path.name for path in work.iterdir()) == ["lock.1", "new.1"]
    (work / "lock.1").unlink()
    install(science, place / "env")
    assert [path.name for path in place.iterdir()] == ["env"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may give a folder away")
def test_a_folder_of_somebody_else_is_not_worked_in(science: Made, place: Path) -> None:
    work = place / ".env.envstore-installing"
    work.mkdir()
    os.chown(work, NOBODY, NOBODY)
    assert f"{work} is theirs" in install(science, place / "env", code=1).stderr
    work.rmdir()
    (place / "elsewhere").mkdir()
    work.symlink_to("elsewhere")
    assert "is no folder of an installer" in install(science, place / "env", code=1).stderr
    assert list((place / "elsewhere").iterdir()) == []


def test_removing_leaves_a_folder_in_a_files_place(science: Made, place: Path) -> None:
    prefix = place / "env"
    install(science, prefix)
    (prefix / "bin" / "flask").unlink()
    (prefix / "bin" / "flask").mkdir()
    (prefix / "bin" / "flask" / "mine.txt").write_text("mine")
    assert "has files that were added" in run("/bin/sh", prefix / "uninstall.sh", "-b").stdout
    left = sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*"))
    assert left == ["bin", "bin/flask", "bin/flask/mine.txt"]


@pytest.fixture(scope="session")
def small(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, tmp_path_factory: pytest.TempPathFactory
) -> Made:
    """An installer of some files, without Python."""
    store = store_with(package_cache)
    view = store.build(f"name: small\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    return installer_of(store, view, tmp_path_factory.mktemp("small"))


def test_of_several_that_find_the_lock_of_a_dead_one_one_is_done(small: Made, place: Path) -> None:
    work = place / ".env.envstore-installing"
    for _ in range(5):
        work.mkdir(0o700)
        (work / "lock.7").symlink_to(DEAD)
        several = [started(small, place / "env") for _ in range(4)]
        told = [process.communicate(timeout=120) for process in several]
        assert sorted(process.returncode for process in several) == [0, 1, 1, 1], told
        assert [path.name for path in place.iterdir()] == ["env"]
        run("/bin/sh", place / "env" / "uninstall.sh", "-b")
        assert list(place.iterdir()) == []
    work.mkdir(0o700)
    (work / "lock.1").symlink_to(DEAD.replace("999999999 1", f"{os.getpid()} 1"))  # another one has its number now
    install(small, place / "env")


def test_when_the_shell_alone_is_killed_the_next_waits_for_what_it_left(science: Made, place: Path) -> None:
    process = stopped_while_unpacking(science, place / "env")
    process.kill()
    process.wait()
    let_go(process)
    install(science, place / "env", "-t")
    process.communicate(timeout=60)
    assert [path.name for path in place.iterdir()] == ["env"]


def test_removing_waits_for_no_installation_and_breaks_none(science: Made, place: Path) -> None:
    install(science, place / "env")
    process = stopped_while_unpacking(science, place / "env", "-u")
    refused = run("/bin/sh", place / "env" / "uninstall.sh", "-b", code=1).stderr
    let_go(process)
    assert "another installation is at work" in refused
    assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 0
    for options in (["-b", "-r", ""], ["-b", "/some/other"]):
        assert "nothing is touched" in run("/bin/sh", place / "env" / "uninstall.sh", *options, code=1).stderr
    run("/bin/sh", place / "env" / "uninstall.sh", "-b")
    assert list(place.iterdir()) == []


def test_what_came_to_the_place_of_a_lost_environment_is_not_run_and_not_replaced(science: Made, place: Path) -> None:
    work = place / ".env.envstore-installing"
    install(science, place / "env")
    work.mkdir(0o700)
    (work / "lock.1").symlink_to(DEAD)
    (work / "new.1").mkdir()
    (place / "env").rename(work / "old")
    (place / "env").mkdir()
    (place / "env" / "uninstall.sh").write_text(f"touch {place}/pwned\n")
    assert "exists already" in install(science, place / "env", code=1).stderr
    assert sorted(path.name for path in place.iterdir()) == ["env", "env.before-1"]
    run(place / "env.before-1" / "bin" / "python", "-c", "import numpy")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount")
def test_a_mount_point_is_left_as_it_is(science: Made, place: Path) -> None:
    prefix = place / "env"
    prefix.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "none", str(prefix)], check=False).returncode:
        pytest.skip("needs root, who may mount")
    try:
        told = install(science, prefix, "-f", code=1).stderr
        assert "It is a mount point" in told
        assert list(prefix.iterdir()) == []
        assert [path.name for path in place.iterdir()] == ["env"]
        install(science, prefix / "env")
    finally:
        subprocess.run(["umount", str(prefix)], check=True)


def test_nothing_from_outside_changes_what_is_unpacked(science: Made, place: Path) -> None:
    around = {"TAR_OPTIONS": "--exclude=numpy", "PATH": os.environ["PATH"]}
    install(science, place / "env", env=around)
    run(place / "env" / "bin" / "python", "-c", "import numpy")
    gone = place / "gone"
    gone.mkdir()
    script = f"cd {gone}; rmdir {gone}; exec sh {science.path} -b -p relative"
    assert "this folder is gone" in run("/bin/sh", "-c", script, code=1, env=around).stderr
