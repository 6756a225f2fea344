"""Environments for notebooks and scripts that remember none."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tests.cli.test_commands import CommandLine, cli
from tests.conftest import PYTHON

__all__ = ["cli"]


def write(cli: CommandLine, *cells: str, language: str = "python") -> Path:
    """Write a notebook in a folder of its own."""
    folder = cli.folder / "analysis"
    folder.mkdir(exist_ok=True)
    kernel = {"name": "x", "display_name": "x", "language": language}
    made = new_notebook(cells=[new_code_cell(text) for text in cells], metadata={"kernelspec": kernel})
    path = folder / "Climate Study.ipynb"
    nbformat.write(made, path)
    return path


def test_its_imports_become_packages_that_are_built_after_a_yes(cli: CommandLine, channel: str) -> None:
    cli.run("setting", f"conda_default_channels={json.dumps([channel])}")
    path = write(cli, "import numpy, cv2", "import click")
    shown = cli.json("from-notebook", str(path))
    assert shown["source"] == "its imports"
    assert shown["guesses"] == {"numpy": "numpy", "click": "click"}
    printed = cli.run("from-notebook", str(path), "--package", "cv2=", "--package", "click=pip:click>=8")
    assert printed.stdout.startswith("name: ")
    assert "click>=8" in printed.stdout
    assert "opencv" not in printed.stdout
    assert "import cv2: no package (as you say)" in printed.stderr
    building = ("from-notebook", str(path), "--package", "cv2=", "--build", "--name", "study")
    guessed = cli.run(*building, "--yes", code=2)
    assert "guessed by their names alone: numpy, click; name the package with --package numpy=PACKAGE" in guessed.stderr
    alone = cli.run(*building, "--accept-guesses", code=2)
    assert "nobody is there to agree to what is built; give --yes" in alone.stderr
    assert cli.json("list") == []
    done = cli.run(*building, "--accept-guesses", "--yes")
    assert "open it there: jupyter envstore open" in done.stderr
    assert {found["name"] for found in cli.json("list")} == {"study"}
    ran = cli.run(
        "run-notebook", str(write(cli, "import numpy, click; print('both')")), "--environment", "default/study"
    )
    assert "1 cell ran in default/study:1" in ran.stdout
    # what an environment has is no guess any more
    again = cli.json("from-notebook", str(path), "--package", "cv2=")
    assert again["guesses"] == {}


def test_a_script_block_comes_first_then_files_beside_it(cli: CommandLine) -> None:
    path = write(
        cli, f"# /// script\n# requires-python = '=={PYTHON}.*'\n# dependencies = ['cowsay']\n# ///", "import numpy"
    )
    (path.parent / "requirements.txt").write_text("flask\n")
    assert cli.json("from-notebook", str(path))["source"] == "the script block in it"
    path = write(cli, "import numpy")
    found = cli.json("from-notebook", str(path))
    assert found["source"] == "requirements.txt beside it"
    assert "flask" in found["text"]
    (path.parent / "environment.yml").write_text("name: x\ndependencies: [python, pandas]\n")
    both = cli.run("from-notebook", str(path))
    assert "from environment.yml beside it" in both.stderr
    assert "note: not read: requirements.txt" in both.stderr
    (path.parent / "environment.yml").write_text("dependencies: [")
    assert "environment.yml is passed over: line 1" in cli.run("from-notebook", str(path)).stderr


def test_what_cells_install_and_modules_beside_count(cli: CommandLine, channel: str) -> None:
    cli.run("setting", f"conda_default_channels={json.dumps([channel])}")
    path = write(
        cli,
        "%pip install -q rich==13.0\n!conda install -y 'scipy>=1' # for later\n%pip install -r more.txt",
        "import rich, helper, zzqq",
    )
    (path.parent / "helper.py").write_text("import flask\nfrom deeper import x")
    (path.parent / "deeper.py").write_text("import numpy, helper")
    found = cli.run("from-notebook", str(path), "--package", "nobody=x")
    assert "note: not read: %pip install -r more.txt" in found.stderr
    assert "note: --package nobody=… is not used: nothing imports nobody" in found.stderr
    assert "import rich: rich==13.0 (a cell installs it)" in found.stderr
    assert "import zzqq: no package (no package of the default channels has this name)" in found.stderr
    for line in ("scipy>=1", "rich==13.0", "flask", "numpy"):
        assert line in found.stdout
    assert "zzqq" not in found.stdout
    assert "helper" not in found.stdout
    building = cli.run("from-notebook", str(path), "--build", "--yes", "--accept-guesses", code=2)
    assert "no package is known for: zzqq; name it with --package zzqq=PACKAGE" in building.stderr


def test_what_it_advises_can_be_given(cli: CommandLine) -> None:
    path = write(cli, "import numpy")
    (path.parent / "pyproject.toml").write_text(
        "[project]\nname = 'x'\nversion = '1'\ndependencies = ['click']\n"
        "[project.optional-dependencies]\nmore = ['rich']"
    )
    told = cli.run("from-notebook", str(path))
    assert "choose more categories with: --category NAME (more)" in told.stderr
    assert "rich" not in told.stdout
    assert "rich" in cli.run("from-notebook", str(path), "--category", "more").stdout


def test_two_script_blocks_are_refused(cli: CommandLine) -> None:
    block = "# /// script\n# dependencies = ['{}']\n# ///"
    path = write(cli, block.format("cowsay"), block.format("pandas"))
    assert "2 cells of the notebook have a script block" in cli.run("from-notebook", str(path), code=2).stderr


def test_notebooks_in_r_and_bad_files(cli: CommandLine) -> None:
    path = write(cli, "library(dplyr)", language="R")
    text = cli.run("from-notebook", str(path)).stdout
    assert "r-dplyr" in text
    assert "r-irkernel" in text
    assert "cannot be read" in cli.run("from-notebook", "gone.ipynb", code=2).stderr
    (cli.folder / "odd.ipynb").write_text("{")
    assert "is no notebook" in cli.run("from-notebook", "odd.ipynb", code=2).stderr
    julia = write(cli, "using Plots", language="julia")
    assert "is a notebook in julia" in cli.run("from-notebook", str(julia), code=2).stderr
    (cli.folder / "x.txt").write_text("import numpy")
    assert "neither a notebook nor a script" in cli.run("from-notebook", "x.txt", code=2).stderr
    (cli.folder / "s.R").write_text("library(dplyr)")
    assert cli.run("from-notebook", "s.R").stdout.startswith('name: "s"\n')
    assert "is not MODULE=PACKAGE" in cli.run("from-notebook", str(path), "--package", "cv2", code=2).stderr


def test_a_script_block_is_written_for_uv(cli: CommandLine, channel: str, nasty_channel: str) -> None:
    packages = f"[python={PYTHON}, 'python-dateutil>=2', ipykernel, nasty-text]"
    text = f"name: x\nchannels: [{channel}, {nasty_channel}]\ndependencies: {packages}\n"
    (cli.folder / "x.yml").write_text(text)
    cli.run("build", "x.yml")
    path = write(cli, "import dateutil")
    nothing = cli.run("script-block", str(path), code=2)
    assert "remembers no environment; name one with --environment" in nothing.stderr
    before = path.read_bytes()
    told = cli.run("script-block", str(path), "--environment", "default/x", "--print")
    assert told.stdout.splitlines()[1:4] == [
        f'# requires-python = "=={PYTHON}.*"', "# dependencies = [", '#     "python-dateutil>=2",',
    ]  # fmt: skip
    assert "note: left out: nasty-text: it is no package of PyPI" in told.stderr
    assert path.read_bytes() == before
    cli.run("script-block", str(path), "--environment", "default/x")
    first, second = nbformat.read(path, as_version=4).cells
    assert (first.source, second.source) == (told.stdout.rstrip(), "import dateutil")
    assert first.metadata.jupyter.source_hidden
    again = cli.json("script-block", str(path), "--environment", "default/x")
    assert again["dependencies"] == ["python-dateutil>=2", "ipykernel"]
    assert len(nbformat.read(path, as_version=4).cells) == 2
    assert cli.json("from-notebook", str(path))["source"] == "the script block in it"
    script = cli.folder / "s.py"
    script.write_text("print(1)\n")
    cli.run("script-block", "s.py", "--environment", "default/x")
    assert script.read_text() == f"{told.stdout}\nprint(1)\n"
    for name in ("s.R", "x.yml", "plain"):
        (cli.folder / name).write_text(text)
        refused = cli.run("script-block", name, "--environment", "default/x", code=2)
        assert f"{name} is neither a notebook nor a script in Python" in refused.stderr
        assert (cli.folder / name).read_text() == text
    for odd in (b"print('\xe4')", b"\xff\xfep"):
        script.write_bytes(odd)
        assert "is not UTF-8" in cli.run("script-block", "s.py", "--environment", "default/x", code=2).stderr
        assert script.read_bytes() == odd
    script.write_bytes("\ufeffprint('\u2028')\r\n".encode())
    (cli.folder / "link.py").symlink_to(script)
    cli.run("script-block", "link.py", "--environment", "default/x")
    assert (cli.folder / "link.py").is_symlink()
    assert script.read_bytes().startswith("\ufeff# /// script\r\n".encode())
    assert script.read_bytes().endswith("# ///\r\n\r\nprint('\u2028')\r\n".encode())
    cli.run("download", "default/x", "--artifact", "lockfile", "-o", "conda-lock.yml")
    cli.run("build", "conda-lock.yml", "--name", "locked", "--no-wait")
    cli.run("logs", "-f", "default/locked")
    locked = cli.run("script-block", "s.py", "--environment", "default/locked", code=4)
    assert "was built from a lockfile, which does not tell what was asked for" in locked.stderr
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.envstore = {
        "version": 1, "namespace": "team", "environment": "gone", "build": 2, "record": "sha256:" + "0" * 64,
        "channels": [], "packages": ["python"], "pip": [], "platforms": [],
    }  # fmt: skip
    nbformat.write(notebook, path)
    gone = cli.run("script-block", str(path), code=3)
    assert "this store does not have team/gone:2; bring it back first: jupyter envstore open" in gone.stderr
