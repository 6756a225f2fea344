"""Scripts that leave the store, run by every shell with its options as strict as they get."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from importlib.resources import files
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
CARELESS = 'if [ -n "$NOT_SET" ]; then\n  T=2\nfi\nexport T=1\n[ -z x ] && export T=3\n'
"""A script as conda-forge's are written: for a shell without options."""
CLEAN = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


@pytest.fixture(scope="module")
def small(store_with: Callable[..., Store], tmp_path_factory: pytest.TempPathFactory) -> tuple[Made, Path]:
    """The installer and the archive of an environment with a script, a path in it, and no Python."""
    folder = tmp_path_factory.mktemp("strict")

    def tool(root: Path) -> dict[str, tuple[str, str]]:
        texts = {"bin/tool": f"#!/bin/sh\necho {SHORT}\n", "etc/conda/activate.d/t.sh": CARELESS}
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


NAMES = re.compile(
    r"^\s*(?:export )?([A-Za-z_]\w*)=|\bfor (\w+) in\b|\bread (?:-r )?([\w ]+?)(?:;| <|$)|^\s*(\w+)\(\)", re.M
)
THEIRS = {"PATH", "LC_ALL", "PS1", "CDPATH", "_", "r"}
"""Names that scripts mean to share with the shell."""


@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_use_no_name_that_a_shell_has_for_itself(shell: list[str]) -> None:
    scripts = files("jupyter_envstore.installers") / "scripts"
    texts = [part.read_text() for part in scripts.iterdir() if part.name.endswith(".sh")]
    found = {name for text in texts for match in NAMES.findall(text) for part in match for name in part.split()}
    names = sorted(found - THEIRS)
    assert {"code", "number", "lock", "envstore_left"} <= set(names)
    checks = [f'({name}=7 && [ "${name}" = 7 ] && [ "$PATH" = /usr/bin:/bin ]) || echo {name}' for name in names]
    assert run(*shell, "-c", "\n".join(checks)) == ""
    kept = {"zsh": ["status", "path", "options"], "ksh": ["RANDOM"], "bash": ["UID"], "busybox": ["RANDOM"]}
    for name in kept.get(shell[0], []):  # so would be found
        assert name in run(
            *shell, "-c", f'({name}=7 && [ "${name}" = 7 ] && [ "$PATH" = /usr/bin:/bin ]) || echo {name}'
        )


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


MOMENTS = ("uname", "sha256sum", "df", "gzip", "chmod", "cat", "cp")
"""Programs that an installer calls one after the other; behind the last one, it lets nobody stop it."""
STOPPING = """#!/bin/sh
# Stops the installer when it calls this program for the first time.
if [ ! -e "$MARK" ]; then
  : >"$MARK"
  kill -s "$SIGNAL" "$INSTALLER"
  sleep 0.1
fi
exec "/usr/bin/${0##*/}" "$@"
"""


def tree(folder: Path) -> dict[str, bytes | str]:
    """Return all that lies below a folder, and what is in it."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        found[name] = path.readlink().as_posix() if path.is_symlink() else path.read_bytes() if path.is_file() else ""
    return found


CODES = {"TERM": 143, "INT": 130}


@pytest.fixture
def update(small: tuple[Made, Path], tmp_path: Path) -> tuple[list[str], Path, dict[str, bytes | str]]:
    """A command that updates an environment, behind a shell; where it lies, and what it is afterwards."""
    place = tmp_path / "place"
    place.mkdir()
    run("/bin/sh", small[0].path, "-b", "-p", place / "env")
    new = tree(place)
    (place / "env" / "bin" / "tool").write_text("changed")
    return [str(small[0].path), "-b", "-u", "-p", str(place / "env")], place, new


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("shell", [param for param in SHELLS if param.id != "busybox sh -euo pipefail"])
def test_an_update_that_is_stopped_at_any_step_leaves_the_old_environment_or_the_whole_new_one(
    shell: list[str], number: str, update: tuple[list[str], Path, dict[str, bytes | str]], tmp_path: Path
) -> None:
    command, place, new = update
    old = tree(place)
    for moment in MOMENTS:
        programs = tmp_path / moment
        programs.mkdir()
        (programs / moment).write_text(STOPPING)
        (programs / moment).chmod(0o755)
        mark = tmp_path / f"{moment}-called"
        done = subprocess.run(
            ["/bin/sh", "-c", 'export INSTALLER=$$; exec "$@"', "-", *shell, *command],
            capture_output=True, text=True, check=False, timeout=120,
            env={**CLEAN, "PATH": f"{programs}:/usr/bin:/bin", "SIGNAL": number, "MARK": str(mark)},
        )  # fmt: skip
        assert mark.exists(), (moment, "was not called")
        expected = (0, new) if moment == "cp" else (CODES[number], old)
        assert (done.returncode, tree(place)) == expected, (moment, done.stdout, done.stderr)


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("shell", SHELLS)
def test_an_update_that_is_stopped_at_any_time_leaves_the_old_environment_or_the_whole_new_one(
    shell: list[str], number: str, update: tuple[list[str], Path, dict[str, bytes | str]]
) -> None:
    command, place, new = update
    old = tree(place)
    stopped = 0
    for hundredth in range(0, 24, 3):
        process = subprocess.Popen(
            [*shell, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=CLEAN
        )
        assert process.stdout is not None
        said = process.stdout.readline()
        time.sleep(hundredth / 100)
        process.send_signal(getattr(signal, f"SIG{number}"))
        said += process.communicate(timeout=120)[0]
        if process.returncode == CODES[number] and tree(place) == old:
            stopped += 1
            continue
        assert tree(place) == new, (process.returncode, said)
        assert "is installed at" in said or process.returncode == CODES[number]
        (place / "env" / "bin" / "tool").write_text("changed")
    assert stopped


@pytest.mark.parametrize("shell", SHELLS)
def test_a_signal_ends_a_script_wherever_its_shell_is(shell: list[str], tmp_path: Path) -> None:
    """bash 5.2 reads a trap's commands as the inside of a ``$(...)`` where the signal came while it looked at one."""
    script = tmp_path / "script"
    work = (files("jupyter_envstore.installers") / "scripts" / "work.sh").read_text(encoding="utf-8")
    script.write_text(f"{work}\non_signal 'complain stopped; exit 130' INT HUP\ntrap\nkill -s HUP $$\nexit 1\n)")
    set_traps = run(*shell, script, code=130).removesuffix("stopped\n")
    assert set_traps.count("exit 130") == 2
    if shell[0] == "bash":
        commands = set_traps.split("'")[1]
        assert commands.splitlines() == ["complain stopped; exit 130", ")"]
        inside = f"complain() {{ echo $1; }}; eval 'found=$({commands}'; echo $found $?"
        assert run(*shell, "-c", f"set +e; {inside}") == "stopped 130\n"


def test_no_script_traps_a_signal_by_itself() -> None:
    for script in (files("jupyter_envstore.installers") / "scripts").iterdir():
        if script.name.endswith(".sh"):
            for line in re.findall(r"^ *trap .*", script.read_text(encoding="utf-8"), re.MULTILINE):
                assert re.match(r" *trap (''|-|\"\$at_signal.*|.* EXIT$)", line), (script.name, line)
