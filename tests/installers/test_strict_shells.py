"""Scripts that leave the store, run by every shell with its options as strict as they get."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_envstore.artifacts.docker import SCRIPT
from jupyter_envstore.channel_maker.channel import index_channel
from tests.helpers import Store
from tests.installers.conftest import Made, installer_of
from tests.nasty import SHORT, add

SHELLS = [
    pytest.param(command, id=" ".join(command))
    for command in (
        ["bash", "-euo", "pipefail"],
        ["dash", "-eu"],
        ["busybox", "sh", "-euo", "pipefail"],
        ["zsh", "-f", "-euo", "pipefail"],
        ["ksh", "-euo", "pipefail"],
    )
    if shutil.which(command[0])
]
CLEAN = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


@pytest.fixture(scope="module")
def small(store_with: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    """The installer and the archive of an environment with a script, a path in it, and no Python."""
    folder = tmp_path_factory.mktemp("strict")

    def tool(root: Path) -> dict[str, tuple[str, str]]:
        texts = {"bin/tool": f"#!/bin/sh\necho {SHORT}\n", "etc/conda/activate.d/t.sh": "export T=1\n"}
        for place, text in texts.items():
            (root / place).parent.mkdir(parents=True, exist_ok=True)
            (root / place).write_text(text)
        (root / "bin" / "tool").chmod(0o755)
        return {"bin/tool": (SHORT, "text")}

    add(folder / "channel", "tool", tool)
    index_channel(folder / "channel")
    (folder / "packages").mkdir()
    store = store_with(folder / "packages")
    view = store.build(f"name: small\nchannels: ['{(folder / 'channel').as_uri()}']\ndependencies: [tool]")
    assert view["status"] == "COMPLETED", view["reason"]
    made = installer_of(store, view, folder)
    archive = store.envstore.artifacts.request(view["id"], "archive")
    store.wait(view["id"])
    return made, store.envstore.artifacts.path(store.envstore.artifacts.get(archive)["sha256"])


def run(*command: str | Path, code: int = 0) -> str:
    """Run a command that knows little; return all that it said."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=120, env=CLEAN
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_an_installer_installs_updates_refuses_and_is_removed(
    shell: list[str], small: tuple[Made, Path], tmp_path: Path
) -> None:
    installer, prefix = small[0].path, tmp_path / "env"
    assert "is installed at" in run(*shell, installer, "-b", "-t", "-p", prefix)
    assert run(prefix / "bin" / "tool") == f"{prefix}\n"
    assert "exists already" in run(*shell, installer, "-b", "-p", prefix, code=1)
    (prefix / "added").write_text("somebody's own")
    assert "is installed at" in run(*shell, installer, "-b", "-u", "-p", prefix)
    assert (tmp_path / "env.before-1" / "added").exists()
    assert "no option" in run(*shell, installer, "-b", "x", code=2)
    told = run(*shell, "-c", f". {prefix}/bin/activate; tool; echo $T; deactivate; echo ${{T-}}")
    assert told.splitlines()[:2] == [str(prefix), "1"]
    (prefix / "added").write_text("somebody's own")
    assert "has files that were added" in run(*shell, prefix / "uninstall.sh", "-b")
    assert [path.name for path in prefix.iterdir()] == ["added"]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_archive_is_activated_unpacked_and_left(shell: list[str], small: tuple[Made, Path], tmp_path: Path) -> None:
    prefix = tmp_path / "it's here"  # a place that a script must quote
    with tarfile.open(small[1]) as tar:
        tar.extractall(prefix, filter="tar") if sys.version_info >= (3, 12) else tar.extractall(prefix)  # noqa: S202
    script = f"""
        . "{prefix}/bin/activate"
        echo "$CONDA_PREFIX"
        {sys.executable} "$CONDA_PREFIX/bin/conda-unpack" >/dev/null
        deactivate
        . "{prefix}/bin/activate"
        echo "$T"
    """
    told = run(*shell, "-c", script).splitlines()
    assert told[0] == str(prefix)
    assert told[-1] == "1"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_entry_point_of_an_image_activates_and_runs(shell: list[str], tmp_path: Path) -> None:
    scripts = tmp_path / "etc" / "conda" / "activate.d"
    entry = tmp_path / "entrypoint.sh"
    entry.write_text(SCRIPT)
    command = ["env", f"CONDA_PREFIX={tmp_path}", *shell, entry, "sh", "-c", 'echo "[${T-}] $1"', "-", "a b"]
    assert run(*command) == "[] a b\n"
    scripts.mkdir(parents=True)
    (scripts / "t.sh").write_text("export T=1\n")
    assert run(*command) == "[1] a b\n"
