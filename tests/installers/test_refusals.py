"""Self-extracting installers that cannot install: each says why, and nothing is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.installers.selfextracting import oldest_libc, oldest_macos, script_digest
from tests.helpers import Store
from tests.installers.conftest import Made, install, run


def signed(data: bytes) -> bytes:
    """Return an installer whose script was changed, with the hash that fits."""
    end = int(re.search(rb"\nOFFSET=(\d+)\n", data)[1]) - 1  # type: ignore[index]
    return re.sub(rb"\nHEADER=\w+\n", b"\nHEADER=%b\n" % script_digest(data[:end]).encode(), data, count=1)


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
    second = science.path.read_bytes().index(b" EXIT\n")
    for shell in ("/bin/sh", "bash"):
        for length in (
            second + 20,
            second + 200,
            2000,
            5000,
            9000,
            script - 5,
            script,
            script + 1,
            script + 5,
            script + 9,
        ):
            damaged.write_bytes(science.path.read_bytes()[:length])  # cut short in the script: nothing happens
            done = subprocess.run([shell, str(damaged), "-b", "-p", f"{place}/env"], capture_output=True, check=False)
            assert done.returncode != 0, length
            assert done.stderr, length
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
             "chmod", "find", "uname", "cat", "getconf", "ls", "rmdir", "pwd", "ln", "id", "cp", "sleep")  # fmt: skip
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


@pytest.mark.parametrize(
    ("variant", "expected"), [("osx-arm64", "links for itself alone"), ("win-64", "is a shell script")]
)
def test_another_platform_is_refused_with_the_way_out(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, variant: str, expected: str
) -> None:
    store = store_with(package_cache)
    view = store.build(f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    artifact = store.envstore.artifacts.request(view["id"], "installer", variant)
    store.wait(view["id"])
    state = store.envstore.artifacts.get(artifact)
    assert state["state"] == "failed"
    assert expected in state["reason"]
    assert "constructor can" in state["reason"]
