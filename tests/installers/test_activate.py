"""The scripts that activate an environment elsewhere, in every shell, with its options as strict as they get."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from jupyter_envstore.engine.environment_variables import read_variables, write_activation
from jupyter_envstore.installers.activate import activate_anywhere, activate_at, deactivate

PLACEHOLDER = "/opt/envstore_test_placeholder"
HOSTILE = 'it\'s "fine" $HOME `id` \\ \n& two'
SHELLS = [
    pytest.param(command, id=" ".join(command))
    for command in (
        ["bash", "-c"],
        ["bash", "-euo", "pipefail", "-c"],
        ["bash", "--posix", "-euo", "pipefail", "-c"],
        ["dash", "-c"],
        ["dash", "-eu", "-c"],
        ["busybox", "sh", "-euo", "pipefail", "-c"],
        ["zsh", "-f", "-c"],
        ["zsh", "-f", "-euo", "pipefail", "-c"],
        ["ksh", "-euo", "pipefail", "-c"],
    )
    if shutil.which(command[0])
]
KINDS = ["anywhere", "at"]


def environment(folder: Path, kind: str, scripts: dict[str, str] | None = None) -> Path:
    """Return an environment with variables of packages and of its own, and scripts of packages."""
    prefix = folder / ("an environment with spaces" if kind == "anywhere" else "environment")
    (prefix / "bin").mkdir(parents=True)
    (prefix / "conda-meta").mkdir()
    (prefix / "etc" / "conda" / "env_vars.d").mkdir(parents=True)
    values = {"FROM_PACKAGE": "package", "BOTH": "package", "DATA": f"{PLACEHOLDER}/share", "HOSTILE": HOSTILE}
    (prefix / "etc" / "conda" / "env_vars.d" / "a.json").write_text(json.dumps(values))
    state = {"version": 1, "env_vars": {"BOTH": "environment"}}
    (prefix / "conda-meta" / "state").write_text(json.dumps(state))
    write_activation(prefix, PLACEHOLDER)
    for name, text in (scripts or {}).items():
        path = prefix / "etc" / "conda" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    text = activate_anywhere(PLACEHOLDER) if kind == "anywhere" else activate_at(str(prefix), "it's")
    (prefix / "bin" / "activate").write_text(text)
    (prefix / "bin" / "deactivate").write_text(deactivate())
    return prefix


def run(shell: list[str], script: str, folder: Path, code: int = 0, **variables: str) -> str:
    """Run a script in a shell that knows little; return what it said."""
    done = subprocess.run(
        [*shell, script],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_variables_of_packages_and_of_the_environment_are_set_and_put_back(
    shell: list[str], kind: str, tmp_path: Path
) -> None:
    prefix = environment(tmp_path, kind)
    script = f"""
        . '{prefix}/bin/activate'
        printf '%s|' "$FROM_PACKAGE" "$BOTH" "$DATA" "$CONDA_PREFIX" "$HOSTILE"
        deactivate
        printf '%s|' "${{FROM_PACKAGE-unset}}" "$BOTH" "${{CONDA_PREFIX-unset}}" "$PATH"
    """
    told = run(shell, script, tmp_path, BOTH="before").split("|")
    assert told[:5] == ["package", "environment", f"{prefix}/share", str(prefix), HOSTILE]
    assert told[5:9] == ["unset", "before", "unset", "/usr/bin:/bin"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_options_umask_folder_and_names_of_the_shell_stay(shell: list[str], kind: str, tmp_path: Path) -> None:
    loose = {"activate.d/x.sh": "export X=1\n", "deactivate.d/x.sh": "unset X\n"}
    strict = {
        name.replace("x.sh", "y.sh"): "set -eu\nif (set -o pipefail) 2>/dev/null; then set -o pipefail; fi\n"
        for name in loose
    }
    prefix = environment(tmp_path, kind, {**loose, **strict})
    look = "{ echo $-; umask; pwd; set -o; }"
    script = f"""
        {look} >before
        . '{prefix}/bin/activate'; {look} >active
        . '{prefix}/bin/activate'; deactivate; {look} >after
        set | grep -i '^envstore' || :
    """
    assert run(shell, script, tmp_path) == ""
    before = (tmp_path / "before").read_text()
    assert before.count("\n") > 3
    assert (tmp_path / "active").read_text() == before
    assert (tmp_path / "after").read_text() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_run_in_the_order_of_their_names_behind_the_variables_and_backwards_at_the_end(
    shell: list[str], kind: str, tmp_path: Path
) -> None:
    scripts = {
        "activate.d/a b.sh": 'TOLD="${TOLD-}a:$FROM_PACKAGE "\n',
        "activate.d/B.sh": 'TOLD="${TOLD-}B "\n',
        "activate.d/c.sh": 'TOLD="${TOLD-}c "\nreturn 0\nTOLD=wrong\n',
        "activate.d/d.fish": "not for this shell\n",
        "deactivate.d/a.sh": 'TOLD="${TOLD-}-a "\n',
        "deactivate.d/b.sh": 'TOLD="${TOLD-}-b:$FROM_PACKAGE "\n',
    }
    prefix = environment(tmp_path, kind, scripts)
    told = run(shell, f". '{prefix}/bin/activate'; deactivate; echo \"$TOLD\"", tmp_path)
    assert told == "B a:package c -b:package -a \n"


@pytest.mark.parametrize("shell", SHELLS)
def test_what_scripts_of_packages_do_to_a_shell_they_do_as_with_conda(shell: list[str], tmp_path: Path) -> None:
    cases = [("false\n", 0), ("exit 3\n", 3), ("cd /\nset -e\numask 077\n", 0)]
    for number, (text, code) in enumerate(cases):
        prefix = environment(tmp_path / str(number), "at", {"activate.d/x.sh": text})
        script = f". '{prefix}/bin/activate'; echo \"there $FROM_PACKAGE $(pwd) $(umask)\""
        told = run(shell, script, tmp_path, code=code)
        if code:
            assert told == ""
        elif "cd" in text:
            assert told.startswith("there package / ")
            assert told.rstrip().endswith("077")
        else:
            assert told.startswith(f"there package {tmp_path} ")


CARELESS = {
    "activate.d/a.sh": 'if [ -n "$GDAL_DATA" ]; then\n  O=$GDAL_DATA\nfi\nexport GDAL_DATA=$CONDA_PREFIX/share/gdal\n',
    "activate.d/b.sh": "grep -q nothing /dev/null\nexport B=1\n[ -z x ] && export C=1\n",
    "activate.d/c.sh": 'export D="${D}d"\nreturn 3\n',
    "activate.d/e.sh": "no_such_command_here 2>/dev/null\nfalse | true && export PIPED=1\n",
    "deactivate.d/a.sh": '[ -n "$NOT_SET" ] && echo no\nunset GDAL_DATA\nfalse\n',
    "deactivate.d/b.sh": "unset B\ntest $NOT_SET_EITHER\n",
}
"""Scripts as conda-forge's are written: for a shell without options."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_scripts_of_packages_that_are_not_written_for_strict_shells_run_whole_and_options_are_put_back(
    shell: list[str], kind: str, tmp_path: Path
) -> None:
    prefix = environment(tmp_path, kind, CARELESS)
    script = f"""
        echo "$-" >before; set -o >>before
        . '{prefix}/bin/activate'
        echo "$-" >active; set -o >>active
        printf '%s|' "$GDAL_DATA" "$B" "${{C-unset}}" "$D" "$PIPED"
        deactivate
        echo "$-" >after; set -o >>after
        printf '%s|' "${{GDAL_DATA-unset}}" "${{B-unset}}" "$PATH"
    """
    told = run(shell, script, tmp_path)
    assert told == f"{prefix}/share/gdal|1|unset|d|1|unset|unset|/usr/bin:/bin|"
    before = (tmp_path / "before").read_text()
    assert (tmp_path / "active").read_text() == before
    assert (tmp_path / "after").read_text() == before


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_started_in_an_activated_one_can_leave_by_the_file_too(shell: list[str], tmp_path: Path) -> None:
    prefix = environment(tmp_path, "anywhere")
    inner = tmp_path / "inner.sh"
    inner.write_text(
        f". '{prefix}/bin/deactivate'\n"
        'echo "${CONDA_PREFIX-unset} ${FROM_PACKAGE-unset} $PATH"\n'
        f". '{prefix}/bin/deactivate'\n"
    )
    inside = f"{' '.join(shell)} '. {inner}'"
    script = f". '{prefix}/bin/activate'; {inside}; . '{prefix}/bin/deactivate'; echo $PATH"
    told = run(shell, script, tmp_path)
    assert told == "unset unset /usr/bin:/bin\n/usr/bin:/bin\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shell", SHELLS)
def test_one_environment_takes_the_place_of_another(shell: list[str], kind: str, tmp_path: Path) -> None:
    first = environment(tmp_path / "first", kind, {"deactivate.d/x.sh": "LEFT=first\n"})
    second = environment(tmp_path / "second", "at")
    script = f"""
        . '{first}/bin/activate'; . '{second}/bin/activate'
        echo "$CONDA_PREFIX|$LEFT|$DATA|$PATH"
        deactivate; echo "${{CONDA_PREFIX-unset}}|$PATH"
    """
    assert run(shell, script, tmp_path).splitlines() == [
        f"{second}|first|{second}/share|{second}/bin:/usr/bin:/bin",
        "unset|/usr/bin:/bin",
    ]


@pytest.mark.skipif(shutil.which("fish") is None, reason="needs fish, which this machine has not")
def test_fish_sets_the_same_variables(tmp_path: Path) -> None:
    prefix = environment(tmp_path, "anywhere")
    script = f"set -gx CONDA_PREFIX '{prefix}'; source '{prefix}/etc/conda/activate.d/00-envstore-variables.fish'"
    told = run(["fish", "-N", "-c"], f'{script}; printf "%s|" "$BOTH" "$DATA" "$HOSTILE"', tmp_path)
    assert told == f"environment|{prefix}/share|{HOSTILE}|"


def test_the_generated_scripts_hold_no_path_that_is_written_anew(tmp_path: Path) -> None:
    prefix = environment(tmp_path, "at")
    for path in prefix.glob("etc/conda/*activate.d/*"):
        assert PLACEHOLDER not in path.read_text()
    assert read_variables(prefix).values["DATA"] == f"{PLACEHOLDER}/share"
