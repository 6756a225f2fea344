"""Self-extracting installers: run where there is nothing, compared with the lock; and everything that goes wrong."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import pty
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from tests.conftest import PYTHON
from tests.helpers import Store
from tests.installers.conftest import NOBODY, SCIENCE, Island, Made, install, installer_of, run

LONG = "a-long-name-" * 4


def conda_packages(prefix: Path) -> dict[str, tuple[str, str]]:
    """Return name to version and build of what conda finds in a prefix."""
    found = {}
    for path in (prefix / "conda-meta").glob("*.json"):
        meta = json.loads(path.read_bytes())
        found[meta["name"]] = (meta["version"], meta["build"])
    return found


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
    assert island("env", "-i", f"{prefix}/bin/flask", "--version").stdout.strip()  # an entry point of conda's
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
    view = store.build(SCIENCE.format(channel=channel))
    again = installer_of(store, view, tmp_path)
    assert again.state["sha256"] == science.state["sha256"]
    assert again.state["tools"]["maker"] == "self-extracting"
    assert again.state["tools"]["flags"].startswith("-b -p PREFIX")


SHELLS = [shell for shell in ("/bin/sh", "/bin/bash", shutil.which("zsh")) if shell]


def test_activation_works_where_only_the_path_was_lost(science: Made, place: Path) -> None:
    prefix = place / "env"
    install(science, prefix)
    again = {"CONDA_PREFIX": str(prefix), "PATH": "/usr/bin:/bin", "CONDA_DEFAULT_ENV": "outer"}
    activate = f". {prefix}/bin/activate"
    script = f'{activate}; {activate}; command -v python; deactivate; echo "$CONDA_DEFAULT_ENV"'
    for shell in SHELLS:
        told = run(shell, "-euc", script, env=again).stdout.split()
        assert told == [f"{prefix}/bin/python", "outer"], shell


def test_a_shell_started_in_an_activated_one_can_activate_and_deactivate(science: Made, place: Path) -> None:
    prefix = place / "env"
    install(science, prefix)
    tools = place / "tools"  # with a program called deactivate, which is not ours
    tools.mkdir()
    (tools / "deactivate").write_text("#!/bin/sh\necho not me\n")
    (tools / "deactivate").chmod(0o755)
    clean = {"PATH": f"{tools}:/usr/bin:/bin"}
    activate = f". {prefix}/bin/activate"
    inside = (
        f'{activate}; command -v python; echo "$GREETING"; deactivate; '
        'echo "${CONDA_PREFIX-unset}" "${GREETING-unset}"; echo "$PATH"'
    )
    for shell in SHELLS:
        told = run(shell, "-euc", f"{activate}; {shell} -euc '{inside}'; deactivate; echo $PATH", env=clean).stdout
        path = clean["PATH"]
        assert told.splitlines() == [f"{prefix}/bin/python", "hello you", "unset unset", path, path], shell
        prompts = f'PS1="$ "; {activate}; echo "$PS1"; deactivate; echo "[$PS1]"; unset PS1; {activate}; deactivate; '
        told = run(shell, "-euc", prompts + 'echo "${PS1-none}"', env=clean).stdout
        assert told.splitlines() == ["(science) $ ", "[$ ]", "none"], shell


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
    artifact = store.envstore.artifacts.request(without["id"], "installer")
    store.wait(without["id"])
    state = store.envstore.artifacts.get(artifact)
    assert state["state"] == "failed"
    assert "nasty-binary hold their path in machine code" in state["reason"]
    assert "Add python" in state["reason"]
    view = store.build(
        f"name: b\nchannels: ['{channel}', '{nasty_channel}']\ndependencies: [python={PYTHON}, nasty-binary]\n"
    )
    linked = Path(store.envstore.builds.show(view["id"])["prefix"])
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


def test_an_installer_is_made_anew_after_a_setting_of_it_changed(
    store_with: Callable[..., Store], package_cache: Path, nasty_channel: str, place: Path
) -> None:
    store = store_with(package_cache)
    view = store.build(f"name: e\nchannels: ['{nasty_channel}']\ndependencies: [nasty-text]\n")
    first = installer_of(store, view, place)
    assert installer_of(store, view, place).state["made_on"] == first.state["made_on"]
    store.envstore.settings.change({"installer_license": "Be kind."}, ("team",), "tester")
    assert installer_of(store, view, place).state["sha256"] != first.state["sha256"]
    assert "Be kind." in first.path.read_text(encoding="latin-1")


def test_what_follows_the_script_is_one_tar_file_whose_parts_can_be_unpacked_at_once(science: Made) -> None:
    data = science.path.read_bytes()
    start = int(re.search(rb"^OFFSET=(\d+)$", data, re.MULTILINE)[1]) - 1  # type: ignore[index]
    sizes = [int(size) for size in re.search(rb"^PARTS='([\d ]+)'$", data, re.MULTILINE)[1].split()]  # type: ignore[index]
    assert len(sizes) == 4
    assert start + sum(sizes) == len(data)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data[start:]))) as whole:
        names = whole.getnames()
    found = []
    for size in sizes:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data[start : start + size]))) as part:
            found += part.getnames()
        start += size
    assert found == names == sorted(names)
