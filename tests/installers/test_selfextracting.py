"""Self-extracting installers: run where there is nothing, compared with the lock; and everything that goes wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.installers.selfextracting import oldest_libc, oldest_macos, script_digest
from tests.conftest import PYTHON
from tests.helpers import Store
from tests.installers.conftest import NOBODY, Island, Made, install, installer_of, run

LONG = "a-long-name-" * 4


def conda_packages(prefix: Path) -> dict[str, tuple[str, str]]:
    """Return name to version and build of what conda finds in a prefix."""
    found = {}
    for path in (prefix / "conda-meta").glob("*.json"):
        meta = json.loads(path.read_bytes())
        found[meta["name"]] = (meta["version"], meta["build"])
    return found


def signed(data: bytes) -> bytes:
    """Return an installer whose script was changed, with the hash that fits."""
    end = int(re.search(rb"\nOFFSET=(\d+)\n", data)[1]) - 1  # type: ignore[index]
    return re.sub(rb"\nHEADER=\w+\n", b"\nHEADER=%b\n" % script_digest(data[:end]).encode(), data, count=1)


def locked(made: Made) -> dict[str, tuple[str, str]]:
    return {r["name"]: (r["version"], r["build"]) for r in made.record.lock(made.platform).conda}


def test_it_installs_where_there_is_nothing_as_nobody_without_a_network(science: Made, island: Island) -> None:
    shutil.copy(science.path, island.root / "tmp" / "science.sh")
    prefix = f"/tmp/{LONG}/env"
    told = island("env", "-i", "/bin/sh", "/tmp/science.sh", "-b", "-t", "-p", prefix).stdout
    assert "are as they were packaged" in told
    assert "is installed at" in told
    there = island.root / prefix.lstrip("/")
    assert there.stat().st_uid == NOBODY
    assert conda_packages(there) == locked(science)
    listed = island("env", "-i", f"{prefix}/bin/python", "-m", "pip", "list", "--format=json").stdout
    versions = {package["name"].lower(): package["version"] for package in json.loads(listed)}
    for package in science.record.lock(science.platform).pip:
        assert versions[package["name"]] == package["version"]
    code = "import numpy, sys; print(numpy.arange(3).sum(), sys.prefix)"
    assert island("env", "-i", f"{prefix}/bin/python", "-c", code).stdout.split() == ["3", prefix]
    assert island("env", "-i", f"{prefix}/bin/ipython", "--version").stdout.strip()  # an entry point of conda's
    assert "hello" in island("env", "-i", f"{prefix}/bin/cowsay", "-t", "hello").stdout  # and of a PyPI package
    shell = f'. {prefix}/bin/activate; echo "$GREETING"; which python; deactivate; echo "[$GREETING]"'
    assert island("env", "-i", "/bin/sh", "-c", shell).stdout.split("\n")[:3] == [
        "hello you",
        f"{prefix}/bin/python",
        "[]",
    ]
    island("env", "-i", "/bin/sh", f"{prefix}/uninstall.sh", "-b")
    assert not there.exists()


def test_conda_and_pip_find_what_they_know(science: Made, place: Path) -> None:
    import rattler

    prefix = place / "env"
    install(science, prefix)
    records = [rattler.PrefixRecord.from_path(path) for path in (prefix / "conda-meta").glob("*.json")]
    assert {record.name.normalized for record in records} == set(locked(science))
    text = "".join(path.read_text() for path in (prefix / "conda-meta").glob("*.json"))
    assert "envstore_installer_placeholder" not in text
    assert str(Path.cwd()) not in text
    changed = 0
    for path in (prefix / "conda-meta").glob("*.json"):
        for entry in json.loads(path.read_bytes())["paths_data"]["paths"]:
            file = prefix / entry["_path"]
            expected = entry.get("sha256_in_prefix") or entry.get("sha256")
            if expected and file.is_file() and not file.is_symlink():
                assert hashlib.sha256(file.read_bytes()).hexdigest() == expected, entry
                changed += str(prefix).encode() in file.read_bytes()
    assert changed
    run(prefix / "bin" / "python", "-m", "pip", "check")
    (row,) = (
        line
        for path in prefix.glob("lib/python*/site-packages/cowsay-*.dist-info/RECORD")
        for line in path.read_text().splitlines()
        if "bin/cowsay" in line
    )
    digest = hashlib.sha256((prefix / "bin" / "cowsay").read_bytes()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() in row
    history = (prefix / "conda-meta" / "history").read_text()
    assert "numpy" in history


def test_two_stores_make_the_same_installer(
    science: Made,
    store_with: Callable[..., Store],
    channel: str,
    tmp_path: Path,
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    store = store_with(packages)
    view = store.build(
        f"""
        name: science
        description: Numbers and tables
        channels: ['{channel}']
        dependencies: [python={PYTHON}, numpy, ipykernel, pip, {{pip: [cowsay]}}]
        variables: {{GREETING: hello you}}
        """
    )
    again = installer_of(store, view, tmp_path)
    assert again.state["sha256"] == science.state["sha256"]
    assert again.state["tools"]["maker"] == "self-extracting"
    assert again.state["tools"]["flags"].startswith("-b -p PREFIX")


def test_a_flipped_bit_is_found_before_anything_is_written(science: Made, place: Path) -> None:
    data = bytearray(science.path.read_bytes())
    data[len(data) // 2] ^= 1
    damaged = place / "damaged.sh"
    damaged.write_bytes(data)
    told = run("/bin/sh", damaged, "-b", "-p", place / "deep" / "er" / "env", code=1).stderr
    assert "is damaged or was changed" in told
    assert sorted(path.name for path in place.iterdir()) == ["damaged.sh"]
    damaged.write_bytes(science.path.read_bytes()[:-1000])
    assert "is damaged" in run("/bin/sh", damaged, "-b", "-p", place / "env", code=1).stderr
    script = science.path.read_bytes().index(b"\nmain ")
    for length in (
        2000,
        5000,
        9000,
        script - 5,
        script + 4,
    ):  # cut short in the script: nothing happens
        damaged.write_bytes(science.path.read_bytes()[:length])
        done = subprocess.run(["/bin/sh", str(damaged), "-b", "-p", f"{place}/env"], capture_output=True, check=False)
        assert done.returncode != 0, length
    data = bytearray(science.path.read_bytes())
    data[data.index(b"SIZE_KB=") + 8] ^= 1
    damaged.write_bytes(data)
    assert "in its first" in run("/bin/sh", damaged, "-b", "-p", place / "env", code=1).stderr
    assert sorted(path.name for path in place.iterdir()) == ["damaged.sh"]


def test_places_that_cannot_be_are_refused_and_nothing_is_written(science: Made, place: Path) -> None:
    (place / "full").mkdir()
    (place / "full" / "mine").write_text("mine")
    (place / "file").write_text("a file")
    (place / "link").symlink_to("full")
    before = sorted(str(path) for path in place.rglob("*"))
    for target, options, expected in (
        ("full", (), "exists already"),
        ("full", ("-u",), "neither empty nor an environment"),
        ("full", ("-f",), "neither empty nor an environment"),
        ("file", ("-f",), "is not a folder"),
        ("link", ("-f",), "is not a folder"),
        ("with space/env", (), "a space"),
        ("x" * 130, (), "at most"),
        ("../up", (), ". or .."),
        ("quo'te", (), "characters in it"),
        ("do$lar", (), "characters in it"),
        ("co:lon", (), "characters in it"),
        ("file/below", (), "cannot be"),
        ("sub/./x", (), ". or .."),
    ):
        told = run("/bin/sh", science.path, "-b", "-p", f"{place}/{target}", *options, code=1).stderr
        assert told.startswith("ERROR: "), (target, told)
        assert expected in told, (target, told)
    assert sorted(str(path) for path in place.rglob("*")) == before
    assert "no option" in run("/bin/sh", science.path, "-b", "-p", place / "x", "more", code=2).stderr
    run("/bin/sh", science.path, "-x", code=2)
    assert "HOME is not set" in run("/bin/sh", science.path, "-b", code=1).stderr
    told = run("/bin/sh", science.path, "-h").stdout
    assert all(f"\n{flag} " in told for flag in ("-b", "-p", "-f", "-u", "-s", "-t", "-C", "-h"))


def test_what_the_machine_lacks_is_told(science: Made, place: Path) -> None:
    programs = place / "bin"
    programs.mkdir()
    names = ("sh", "tar", "gzip", "tail", "head", "awk", "sed", "df", "dirname", "basename", "mkdir", "mv", "rm",
             "chmod", "find", "uname", "cat", "getconf", "ls", "rmdir", "pwd")  # fmt: skip
    for name in names:
        found = shutil.which(name)
        assert found, name
        (programs / name).symlink_to(found)
    told = install(science, place / "env", code=1, env={"PATH": str(programs)}).stderr
    assert "none of sha256sum, shasum and openssl" in told
    openssl = shutil.which("openssl")
    if openssl:
        (programs / "openssl").symlink_to(openssl)
        install(science, place / "env", env={"PATH": str(programs)})
        assert (place / "env" / "conda-meta").is_dir()
    (programs / "gzip").unlink()
    assert "has no gzip" in install(science, place / "other", code=1, env={"PATH": str(programs)}).stderr
    (programs / "gzip").write_text("#!/bin/sh\n")
    (programs / "uname").unlink()
    (programs / "uname").write_text('#!/bin/sh\n[ "$1" = -m ] && echo riscv || echo Linux\n')
    (programs / "uname").chmod(0o755)
    (programs / "gzip").chmod(0o755)
    assert "processor is riscv" in install(science, place / "other", code=1, env={"PATH": str(programs)}).stderr


def test_an_old_c_library_is_refused(science: Made, place: Path) -> None:
    text = science.path.read_bytes().replace(b"\nLIBC=\n", b"\nLIBC=9.9\n", 1)
    changed = place / "needs-new.sh"
    changed.write_bytes(text)
    assert b"LIBC=9.9" in text
    assert "glibc 9.9 or newer is needed" in run("/bin/sh", changed, "-b", "-p", place / "env", code=1).stderr
    lock = PlatformLock(
        conda=(
            {"name": "a", "depends": ["__glibc >=2.17,<3.0.a0", "python"]},
            {"name": "b", "depends": ["__osx >=11.0"]},
        ),
        pip=(
            {"filename": "c-1-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"},
            {"filename": "d-1-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"},
        ),
    )
    assert (oldest_libc(lock), oldest_macos(lock)) == ("2.27", "11.0")


def test_updating_replaces_the_environment_and_keeps_what_was_added(science: Made, place: Path) -> None:
    prefix = place / "env"
    prefix.mkdir()
    install(science, prefix, "-f")
    (prefix / "mine.txt").write_text("mine")
    (prefix / "bin" / "ipython").write_text("broken")
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


def test_activation_works_where_only_the_path_was_lost(science: Made, place: Path) -> None:
    prefix = place / "env"
    install(science, prefix)
    again = {"CONDA_PREFIX": str(prefix), "PATH": "/usr/bin:/bin", "CONDA_DEFAULT_ENV": "outer"}
    activate = f". {prefix}/bin/activate"
    script = f'{activate}; {activate}; command -v python; deactivate; echo "$CONDA_DEFAULT_ENV"'
    for shell in ("/bin/sh", "/bin/bash"):
        told = run(shell, "-euc", script, env=again).stdout.split()
        assert told == [f"{prefix}/bin/python", "outer"]


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
    (place / "env").rename(place / f".env.replaced-{ended.pid}")
    told = install(science, place / "env", code=1)
    assert "which an update had lost, is back" in told.stdout
    assert "exists already" in told.stderr
    assert [path.name for path in place.iterdir()] == ["env"]
    assert (place / "env" / "mine.txt").read_text() == "mine"


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


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may mount a small disk")
def test_a_full_disk_is_told_and_leaves_nothing(science: Made, place: Path) -> None:
    small = place / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "none", str(small)], check=False).returncode:
        pytest.skip("needs root, who may mount a small disk")
    try:
        assert "MB are needed" in install(science, small / "env", code=1).stderr
        lying = place / "lying.sh"  # it believes the disk to be large enough, as if it filled up meanwhile
        data = science.path.read_bytes()
        needed = re.search(rb"\nSIZE_KB=(\d+)\n", data)
        assert needed
        lying.write_bytes(signed(data.replace(needed[0], b"\nSIZE_KB=%b\n" % b"1".zfill(len(needed[1])), 1)))
        told = run("/bin/sh", lying, "-b", "-p", small / "env", code=1).stderr
        assert "nothing was installed" in told
        assert list(small.iterdir()) == []
        subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
        assert "cannot be written" in install(science, small / "env", code=1).stderr
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


def test_it_asks_where_nobody_said_batch(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, place: Path
) -> None:
    terms = "Be kind.\nENVSTORE_LICENCE\n$(touch pwned)\n"
    store = store_with(package_cache, installer_license=terms, installer_company="Kind & Sons")
    view = store.build(
        f"name: e\ndescription: A `touch pwned` text\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n"
    )
    made = installer_of(store, view, place)
    home = {"HOME": str(place / "home"), "PATH": os.environ["PATH"]}
    refused = run("/bin/sh", made.path, code=2, input="\nno\n", env=home, cwd=place)
    assert "Be kind." in refused.stdout
    assert "Kind & Sons" in refused.stdout
    assert "Nothing was installed" in refused.stderr
    silent = run("/bin/sh", made.path, code=2, input="", env=home, cwd=place)
    assert "sh" in silent.stderr
    assert not (place / "home").exists()
    done = run("/bin/sh", made.path, input="\nperhaps\nyes\n\n", env=home, cwd=place)
    assert done.stdout.count("[yes|no]") == 2
    assert (place / "home" / "e" / "conda-meta").is_dir()
    chosen = run("/bin/sh", made.path, input=f"\nyes\n{place}/chosen\n", env=home, cwd=place)
    assert f"{place}/chosen" in chosen.stdout
    assert (place / "chosen" / "conda-meta").is_dir()
    assert not (place / "pwned").exists()


def test_progress_is_shown_on_a_terminal(science: Made, place: Path) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        ["/bin/sh", str(science.path), "-b", "-p", str(place / "env")], stdout=follower, stderr=follower, env={}
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(leader)
    assert process.wait() == 0, shown
    assert b" %" in shown
    assert b"is installed at" in shown


def test_an_environment_without_python_has_its_texts_set_by_the_shell(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, place: Path
) -> None:
    store = store_with(package_cache)
    view = store.build(
        f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text, nasty-modes, nasty-links, nasty-names]\n"
    )
    made = installer_of(store, view, place)
    prefix = place / ("x" * 60)
    install(made, prefix, "-t")
    settings = (prefix / "etc" / "nasty.conf").read_text()
    assert f"home={prefix}\nlib={prefix}/lib:{prefix}/lib64" in settings
    assert (prefix / "bin" / "nasty-script").read_text().startswith(f"#!{prefix}/bin/python")
    assert os.access(prefix / "bin" / "nasty-script", os.X_OK)
    for path in (prefix / "conda-meta").glob("*.json"):
        for entry in json.loads(path.read_bytes())["paths_data"]["paths"]:
            expected = entry.get("sha256_in_prefix") or entry.get("sha256")
            file = prefix / entry["_path"]
            if expected and file.is_file() and not file.is_symlink():
                assert hashlib.sha256(file.read_bytes()).hexdigest() == expected
    run("/bin/sh", prefix / "uninstall.sh", "-b")
    assert not prefix.exists()


def test_binary_paths_are_set_to_longer_ones_and_refused_without_python(
    store_with: Callable[..., Store], package_cache: Path, channel: str, nasty_channel: str, place: Path
) -> None:
    store = store_with(package_cache)
    without = store.build(f"name: a\nchannels: ['{nasty_channel}']\ndependencies: [nasty-binary]\n")
    artifact = store.envstore.request_artifact(without["id"], "installer")
    store.wait(without["id"])
    state = store.envstore.artifact(artifact)
    assert state["state"] == "failed"
    assert "nasty-binary hold their path in machine code" in state["reason"]
    assert "Add python" in state["reason"]
    view = store.build(
        f"name: b\nchannels: ['{channel}', '{nasty_channel}']\ndependencies: [python={PYTHON}, nasty-binary]\n"
    )
    linked = Path(store.envstore.show(view["id"])["prefix"])
    made = installer_of(store, view, place)
    prefix = place / ("y" * 80)
    install(made, prefix, "-t")
    names = [path.relative_to(linked) for path in linked.rglob("*") if "nasty" in path.name and path.is_file()]
    binary = [name for name in names if str(linked).encode() in (linked / name).read_bytes()]
    assert binary
    for name in binary:
        before, after = (linked / name).read_bytes(), (prefix / name).read_bytes()
        assert len(before) == len(after)
        assert before.count(str(linked).encode()) == after.count(str(prefix).encode())
        assert before.replace(str(linked).encode(), b"").replace(b"\0", b"") == after.replace(
            str(prefix).encode(), b""
        ).replace(b"\0", b"")


@pytest.mark.parametrize(
    ("variant", "expected"), [("osx-arm64", "links for itself alone"), ("win-64", "is a shell script")]
)
def test_another_platform_is_refused_with_the_way_out(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, variant: str, expected: str
) -> None:
    store = store_with(package_cache)
    view = store.build(f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    artifact = store.envstore.request_artifact(view["id"], "installer", variant)
    store.wait(view["id"])
    state = store.envstore.artifact(artifact)
    assert state["state"] == "failed"
    assert expected in state["reason"]
    assert "constructor can" in state["reason"]


def test_an_installer_is_made_anew_after_a_setting_of_it_changed(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, place: Path
) -> None:
    store = store_with(package_cache)
    view = store.build(f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    first = installer_of(store, view, place)
    assert installer_of(store, view, place).state["made_on"] == first.state["made_on"]
    store.envstore.change_settings({"installer_license": "Be kind."}, ("team",), "tester")
    assert installer_of(store, view, place).state["sha256"] != first.state["sha256"]
    assert "Be kind." in first.path.read_text(encoding="latin-1")
