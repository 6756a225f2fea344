"""Notebooks that are run on the command line, in the environment that they were written in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from jupyter_envstore.errors import InvalidInputError
from jupyter_envstore.notebooks.execution import read_notebook
from jupyter_envstore.notebooks.parameters import inject, read_parameter
from tests.cli.test_commands import CommandLine, cli
from tests.helpers import Store

__all__ = ["cli"]

Json = dict[str, Any]
FAILED, NOT_EXACT = 9, 8


@pytest.fixture(scope="module")
def written(built: Store) -> Json:
    """What a notebook holds that was written in ``team/data`` of another store, with its lock."""
    return dict(built.envstore.bonds.of_build(built.data["id"], lock=True))


@pytest.fixture
def notebook(cli: CommandLine) -> Callable[..., Path]:
    """Write a notebook with a bond and some cells."""

    def make(bond: Json | None, *cells: str) -> Path:
        metadata: Json = {"kernelspec": {"name": "envstore-team--data", "display_name": "x", "language": "python"}}
        made = new_notebook(metadata=metadata | ({"envstore": bond} if bond is not None else {}))
        made.cells = [new_markdown_cell("# Title"), new_code_cell("rate = 1", metadata={"tags": ["parameters"]})]
        made.cells += [new_code_cell(text) for text in cells]
        path = cli.folder / "analysis.ipynb"
        nbformat.write(made, path)
        return path

    return make


def outputs(path: Path) -> list[str]:
    """Return the text that each code cell of a notebook printed."""
    found = nbformat.read(path, as_version=4)
    nbformat.validate(found)
    code = [cell for cell in found.cells if cell.cell_type == "code"]
    return ["".join(output.get("text", "") for output in cell.outputs) for cell in code]


def test_a_notebook_from_elsewhere_runs_in_its_own_environment(
    cli: CommandLine, written: Json, notebook: Callable[..., Path]
) -> None:
    path = notebook(
        written, "import numpy, os\nprint(numpy.__version__, rate, os.environ['GREETING'])", "1 / 0", "print(2)"
    )
    before = path.read_bytes()
    refused = cli.run("run-notebook", path.name, code=2)
    assert "if you trust them, give --accept" in refused.stderr
    assert cli.json("list") == []
    accepted = [word for word in refused.stderr.split() if "://" in word]
    accept = [option for place in accepted for option in ("--accept", place)]
    done = cli.run("run-notebook", path.name, "-o", "out.ipynb", "-p", "rate=0.5", *accept, code=FAILED)
    assert "cell 3 of 5\ncell 4 of 5\nerror: cell 4 of 5 failed: ZeroDivisionError: division by zero" in done.stderr
    printed = outputs(cli.folder / "out.ipynb")
    assert printed[2].split()[1:] == ["0.5", "it's", '"fine"', "$HOME"]
    assert printed[4] == ""
    assert path.read_bytes() == before
    kept = nbformat.read(cli.folder / "out.ipynb", as_version=4)
    assert kept.cells[2].metadata.tags == ["injected-parameters"]
    assert kept.cells[4].outputs[0].ename == "ZeroDivisionError"
    assert kept.metadata.envstore.record == written["record"]
    assert kept.metadata.envstore.lock.data == written["lock"]["data"]
    assert kept.metadata.kernelspec.name == "envstore-default--data"
    # here it is now, so the second run builds nothing; what ran is the notebook of the next run
    again = cli.json("run-notebook", "out.ipynb", "-o", "out.ipynb", "-p", "rate=2", "--allow-errors")
    assert again == {"environment": "default/data:1", "cells": 5, "failed": 1, "output": "out.ipynb"}
    assert outputs(cli.folder / "out.ipynb")[2].split()[1] == "2"
    assert outputs(cli.folder / "out.ipynb")[4] == "2\n"
    assert len(cli.json("list")) == 1


def test_what_cannot_be_had_exactly_fails_if_it_must_be(
    cli: CommandLine, written: Json, notebook: Callable[..., Path], channel: str
) -> None:
    bond = {key: value for key, value in written.items() if key != "lock"}
    bond |= {"packages": ["python", "ipykernel"], "pip": [], "environment": "asked"}
    path = notebook(bond, "import sys; print(sys.prefix)")
    exact = cli.run("run-notebook", path.name, "--exact", code=NOT_EXACT)
    assert "team/asked:1 cannot be had exactly: this store does not have the build" in exact.stderr
    cli.run("setting", f"conda_default_channels={json.dumps([channel])}")
    done = cli.run("run-notebook", path.name, "-o", "-", "--timeout", "60")
    assert "note: team/asked:1 cannot be had exactly" in done.stderr
    prefix = cli.json("show", "default/asked")["prefix"]
    assert prefix in json.loads(done.stdout)["cells"][2]["outputs"][0]["text"][0]
    again = cli.run("run-notebook", path.name, "-o", "-")
    assert "team/asked:1 cannot be had exactly: this store does not have the build" in again.stderr
    assert "default/asked:1 was made from what it asked for" in again.stderr
    assert [found["name"] for found in cli.json("list")] == ["asked"]
    slow = notebook(None, "import time; time.sleep(60)")
    late = cli.run("run-notebook", slow.name, "--environment", "default/asked", "--timeout", "1", code=FAILED)
    assert "cell 2 of 2 took longer than 1 s (--timeout)" in late.stderr
    odd = notebook(None, "print(3)")
    changed = odd.read_text().replace('"metadata": {\n  "kernelspec"', '"metadata": {"envstore": [1], "kernelspec"')
    odd.write_text(changed)
    cli.run("run-notebook", odd.name, "--environment", "default/asked", "-o", "odd-out.ipynb")
    assert outputs(cli.folder / "odd-out.ipynb")[1] == "3\n"
    assert nbformat.read(cli.folder / "odd-out.ipynb", as_version=4).metadata.envstore.environment == "asked"
    dead = notebook(None, "import os; os._exit(3)")
    assert "the kernel died in cell 2 of 2" in cli.run(
        "run-notebook", dead.name, "--environment", "default/asked", code=FAILED
    ).stderr  # fmt: skip


def test_the_lockfile_beside_it_is_built_if_it_has_all(
    cli: CommandLine, written: Json, notebook: Callable[..., Path], channel: str
) -> None:
    text = f"name: x\nchannels: [{channel}]\ndependencies: [python, ipykernel]\n"
    (cli.folder / "x.yml").write_text(text)
    cli.run("build", "x.yml")
    cli.run("download", "default/x", "--artifact", "lockfile", "-o", "analysis.conda-lock.yml")
    (cli.folder / "conda-lock.yml").write_text("version: 1")
    bond = {key: value for key, value in written.items() if key not in {"lock", "left_out"}}
    bond |= {"packages": ["python >=3", "ipykernel"], "pip": [], "environment": "asked", "build": 4}
    path = notebook(bond, "print(1)")
    foreign = cli.run("run-notebook", path.name, code=2)
    assert "analysis.conda-lock.yml takes packages from addresses that no setting names" in foreign.stderr
    assert f"give --accept {channel}" in foreign.stderr
    cli.run("setting", 'conda_allowed_channels=["conda-forge"]')
    forbidden = cli.run("run-notebook", notebook({**bond, "packages": []}, "print(1)").name, code=NOT_EXACT)
    assert "note: analysis.conda-lock.yml cannot be used" in forbidden.stderr  # and the next way is tried
    assert "the notebook does not tell what it asked for" in forbidden.stderr
    cli.run("setting", "conda_allowed_channels=[]", f"conda_default_channels={json.dumps([channel])}")
    path = notebook({**bond, "packages": ["numpy", "ipykernel"], "environment": "more"}, "print(1)")
    other = cli.run("run-notebook", path.name)
    assert "note: analysis.conda-lock.yml does not have numpy" in other.stderr
    path = notebook(bond, "print(1)")
    done = cli.run("run-notebook", path.name, "-o", "out.ipynb")
    assert "does not contain its lock; building from analysis.conda-lock.yml" in done.stderr
    assert outputs(cli.folder / "out.ipynb")[1] == "1\n"
    (cli.folder / "analysis.conda-lock.yml").rename(cli.folder / "other.conda-lock.yml")
    assert cli.run("run-notebook", path.name, "--exact", code=NOT_EXACT).stdout == ""
    told = cli.run("run-notebook", path.name, "-o", "out.ipynb").stderr
    assert "note: conda-lock.yml cannot be used" in told
    assert "building from what it asked for" in told


def test_attempts_that_failed_take_no_names(
    cli: CommandLine, written: Json, notebook: Callable[..., Path], channel: str
) -> None:
    cli.run("setting", f"conda_default_channels={json.dumps([channel])}")
    bond = {key: value for key, value in written.items() if key != "lock"}
    bond |= {"packages": ["no-such-package"], "pip": [], "environment": "hard", "left_out": 2}
    for _ in range(2):
        failed = cli.run("run-notebook", notebook(bond, "1").name, code=5)
        assert "note: the notebook lacks 2 lines of that" in failed.stderr
    assert [found["name"] for found in cli.json("list")] == ["hard"]
    done = cli.run("run-notebook", notebook({**bond, "packages": ["python", "ipykernel"]}, "1").name)
    assert "building default/hard:3" in done.stderr
    cli.run("share", "default/hard:9", code=2)
    own = {**bond, "packages": ["python"], "namespace": "default", "build": 3}
    other = cli.run("run-notebook", notebook(own, "1").name, "--exact", code=NOT_EXACT)
    assert "this store does not have the build (its default/hard:3 is another one)" in other.stderr


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cells": [None]}, "can be read"),
        ({"cells": [{"cell_type": "code", "metadata": {}, "source": None}]}, "required property"),
        ({"metadata": []}, "can be read"),
        ({"nbformat": 9}, "Unsupported nbformat version 9"),
    ],
)
def test_what_is_no_notebook_is_refused(cli: CommandLine, change: Json, reason: str) -> None:
    text = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **change}
    (cli.folder / "odd.ipynb").write_text(json.dumps(text))
    refused = cli.run("run-notebook", "odd.ipynb", code=2).stderr
    assert "odd.ipynb is no notebook" in refused
    assert reason in refused


def test_odd_metadata_does_not_stop_a_notebook(tmp_path: Path) -> None:
    """As other tools write it: without ids, with properties of their own, and null for what they do not know."""
    cell = {"cell_type": "code", "metadata": {"tags": None}, "source": "1", "outputs": [], "execution_count": None}
    metadata = {"kernelspec": None, "language_info": None, "envstore": [1]}
    text = {"cells": [{**cell, "more": 1}], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "odd.ipynb").write_text(json.dumps(text))
    found = read_notebook(str(tmp_path / "odd.ipynb"))
    assert found.metadata == {"envstore": [1]}
    inject(found, {"rate": 2}, "python")
    assert [cell.source for cell in found.cells] == ["# Parameters\nrate = 2", "1"]


def test_bad_input_is_named(cli: CommandLine, notebook: Callable[..., Path]) -> None:
    path = notebook(None, "1")
    assert "remembers no environment; name one with --environment" in cli.run("run-notebook", path.name, code=2).stderr
    assert "is not NAME=VALUE" in cli.run("run-notebook", path.name, "-p", "a b=1", code=2).stderr
    assert "gone.ipynb cannot be read" in cli.run("run-notebook", "gone.ipynb", code=2).stderr
    assert "there is no environment" in cli.run("run-notebook", path.name, "--environment", "a/b", code=3).stderr
    for text in ("", "[]", "{}", '{"nbformat": 4}', "{"):
        (cli.folder / "odd.ipynb").write_text(text)
        assert "is no notebook" in cli.run("run-notebook", "odd.ipynb", code=2).stderr
    for output in ("gone/out.ipynb", "."):  # it is told before anything runs
        run = cli.run("run-notebook", path.name, "-o", output, code=2)
        assert "there is no folder gone" in run.stderr or "is a folder" in run.stderr
    odd = notebook({"version": 7}, "1")
    assert "this version reads 1" in cli.run("run-notebook", odd.name, code=2).stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=-2.5e3", -2500.0),
        ("a=True", True),
        ("a=None", None),
        ("a=true", "true"),
        ("a=null", "null"),
        ("a=none", "none"),
        ("a=", ""),
        ("a=b=c", "b=c"),
        ("a=1_000", "1_000"),
        ("a=.5", 0.5),
        ("a=-inf", float("-inf")),
        ("a=1e", "1e"),
        ("a=٣", "٣"),
        ("a='x'", "'x'"),
    ],
)
def test_values_are_read_as_papermill_reads_them(text: str, value: object) -> None:
    assert read_parameter(text) == ("a", value)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("python", ["a = 'it\\'s \"$x\"'", "b = True", "c = None", "d = float('inf')", "e = 3"]),
        ("R", ['a = "it\'s \\"$x\\""', "b = TRUE", "c = NULL", "d = Inf", "e = 3L"]),
        ("julia", ['a = "it\'s \\"\\$x\\""', "b = true", "c = nothing", "d = Inf", "e = 3"]),
    ],
)
def test_they_are_written_in_the_language_of_the_notebook(language: str, lines: list[str]) -> None:
    made = new_notebook(cells=[new_code_cell("x")])
    values = {"a": 'it\'s "$x"', "b": True, "c": None, "d": float("inf"), "e": 3}
    inject(made, values, language)
    inject(made, values, language)  # takes the place of the first
    assert [cell.source.splitlines()[1:] for cell in made.cells] == [lines, []]
    with pytest.raises(InvalidInputError, match="'if' is a word of"):
        inject(made, {"a": 1, "if": 2}, language)
    with pytest.raises(InvalidInputError, match="are written for julia, python, r notebooks"):
        inject(made, values, "cobol")
