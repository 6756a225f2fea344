"""What a notebook remembers: nothing that is nobody's business, small, and kept by the tools that people use."""

from __future__ import annotations

import base64
import copy
import json
import lzma
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_envstore.application.configuration import StoreTraits
from jupyter_envstore.engine.record import BuildRecord, PlatformLock
from jupyter_envstore.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_envstore.notebooks.bond import REQUESTED_BYTES, Bond, bond_of
from jupyter_envstore.spec.lock_entries import CondaEntry
from tests.helpers import Store, python_with

DIGEST = "5d" * 32
LARGEST, LARGEST_LOCK = 2_000, 20_000
"""Bytes that a bond may add to a notebook, without and with the lock of 40 packages."""


def entry(number: int) -> CondaEntry:
    """Return a record with what one of conda-forge has; its hashes are like no others."""
    sha256 = f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95:0256b}"[-256:]
    name, build = f"some-library-{number:02}", f"py311h{number * 2654435761 % 2**28:07x}_0"
    return {
        "name": name,
        "version": f"{number}.{number * 7 % 13}.{number % 5}",
        "build": build,
        "build_number": 0,
        "subdir": "linux-64",
        "depends": [f"some-library-{n:02} >={n}.0,<{n + 1}.0a0" for n in range(max(0, number - 6), number)],
        "constrains": [],
        "license": "BSD-3-Clause",
        "timestamp": 1_700_000_000_000 + number * 7_919_771,
        "fn": f"{name}-{number}-{build}.conda",
        "url": f"https://conda.example.org/forge/linux-64/{name}-{number}-{build}.conda",
        "channel": "https://conda.example.org/forge",
        "size": number * 104_729,
        "md5": f"{int(sha256[:128], 2):032x}",
        "sha256": f"{int(sha256, 2):064x}",
    }


@pytest.fixture
def record() -> BuildRecord:
    """The record of an environment with 40 packages."""
    return BuildRecord(
        "data",
        ("https://conda.example.org/forge",),
        {"linux-64": PlatformLock(tuple(entry(number) for number in range(40)))},
        variables={"PASSWORD": "secret"},
        requested_conda=("python=3.11", "numpy >=2"),
        requested_pip=("cowsay[extra]>=6; python_version > '3.9'",),
    )


def test_it_tells_what_was_asked_for_and_is_small(record: BuildRecord) -> None:
    bond = bond_of(record, DIGEST, "team", "data", 3, "https://envs.example.org/")
    assert bond == {
        "version": 1,
        "namespace": "team",
        "environment": "data",
        "build": 3,
        "record": f"sha256:{DIGEST}",
        "channels": ["https://conda.example.org/forge"],
        "packages": ["python=3.11", "numpy >=2"],
        "pip": ["cowsay[extra]>=6; python_version > '3.9'"],
        "platforms": ["linux-64"],
        "store": "https://envs.example.org/",
    }
    assert "secret" not in json.dumps(bond)


def test_what_is_too_much_is_left_out_and_counted(record: BuildRecord) -> None:
    asked = tuple(f"some-rather-long-name-{number} >=1.0,<2.0" for number in range(200))
    bond = bond_of(replace(record, requested_conda=asked), DIGEST, "n" * 64, "e" * 64, 3, "https://envs.example.org/")
    kept = [*bond["channels"], *bond["packages"], *bond["pip"]]
    assert bond["left_out"] == 200 + 1 + 1 - len(kept)
    assert bond["packages"] == list(asked[: len(bond["packages"])])
    assert len(json.dumps(kept)) > REQUESTED_BYTES * 0.9
    assert len(json.dumps(bond)) < LARGEST


@pytest.mark.parametrize(
    "line",
    [
        "./wheels/mine-1.0.whl",
        "/home/jo/mine",
        "~/mine",
        "mine @ file:///home/jo/mine-1.0.whl",
        "mine@file:///home/jo/mine",
        "file:///home/jo/channel::mine",
        "--find-links /home/jo/wheels",
        "-e ../mine",
    ],
)
def test_no_path_of_the_machine_gets_into_a_notebook(record: BuildRecord, line: str) -> None:
    local = replace(
        record, channels=("file:///home/jo/channel", "forge"), requested_conda=(line, "python"), requested_pip=(line,)
    )
    bond = bond_of(local, DIGEST, "team", "data", 1)
    assert (bond["channels"], bond["packages"], bond["pip"]) == (["forge"], ["python"], [])
    assert bond["left_out"] == 3
    assert "jo" not in json.dumps(bond)


@pytest.mark.parametrize(
    "line",
    ["numpy ~=1.0", "numpy~=1.0", "forge/label/dev::numpy", "mine @ https://example.org/mine-1.0.whl", "a >=1,<2|3.*"],
)
def test_what_means_something_elsewhere_stays(record: BuildRecord, line: str) -> None:
    bond = bond_of(replace(record, requested_conda=(line,)), DIGEST, "team", "data", 1)
    assert bond["packages"] == [line]


def test_the_whole_record_can_be_in_it(record: BuildRecord) -> None:
    bond = bond_of(record, record.sha256, "team", "data", 1, lock=True)
    lock = bond["lock"]
    assert lock["encoding"] == "xz+base64"
    assert lock["size"] == len(lock["data"])
    data = lzma.decompress(base64.b64decode(lock["data"], validate=True))
    assert data == record.to_bytes()
    assert BuildRecord.from_bytes(data).sha256 == bond["record"].removeprefix("sha256:")
    assert len(json.dumps(bond)) < LARGEST_LOCK


def test_the_bond_of_a_build(built: Store) -> None:
    number = built.data["id"]
    bond = built.envstore.bonds.of_build(number, lock=True)
    assert (bond["namespace"], bond["environment"], bond["build"]) == ("team", "data", 1)
    assert bond["record"] == f"sha256:{built.envstore.records.read(number).sha256}"
    assert "ipykernel" in bond["packages"]
    assert bond["pip"] == ["cowsay"]
    assert str(built.root) not in json.dumps(bond)
    assert "store" not in bond
    assert "fine" not in json.dumps({**bond, "lock": ""})  # of the variables
    with pytest.raises(NotFoundError):
        built.envstore.bonds.of_build(number + 1000)


def test_a_build_without_a_record_has_none(store: Store, nasty_channel: str) -> None:
    queued = store.submit(f"name: x\nchannels: [{nasty_channel}]\ndependencies: [nasty-text]")
    with pytest.raises(ConflictError, match="has no lock"):
        store.envstore.bonds.of_build(queued.id)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://envs.example.org/",
        "envs.example.org",
        "https://jo:secret@envs.example.org/",
        "https://envs.example.org/?token=secret",
        "https://",
    ],
)
def test_an_address_that_is_nobody_s_business_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="public_url") as refused:
        StoreTraits(root_dir=str(tmp_path), public_url=url).store_config()
    assert "secret" not in str(refused.value)
    good = StoreTraits(root_dir=str(tmp_path), public_url="https://envs.example.org/jupyter/").store_config()
    assert good.public_url == "https://envs.example.org/jupyter/"


# -- tools that people use on notebooks --------------------------------------------------------------------------------

TOOLS = ("jupytext", "nbconvert", "nbdime", "nbstripout")


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with the tools. It is not that of the tests, since some of them bring extensions of JupyterLab."""
    return python_with(tmp_path_factory.mktemp("tools") / "venv", *TOOLS)


@pytest.fixture
def bond(record: BuildRecord) -> Bond:
    """A bond with everything in it."""
    return bond_of(record, DIGEST, "team", "data", 3, "https://envs.example.org/", lock=True)


@pytest.fixture
def file(tmp_path: Path, bond: Bond) -> Path:
    """A notebook that was run, with a bond."""
    path = tmp_path / "analysis.ipynb"
    write(path, {"envstore": bond, "jupytext": {"formats": "ipynb,py:percent"}})
    return path


def write(path: Path, metadata: Mapping[str, Any], *more: str) -> None:
    """Write a notebook."""
    kernel = {"name": "envstore-team--data", "display_name": "Python (team/data)", "language": "python"}
    made = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, **copy.deepcopy(dict(metadata))})
    output = nbformat.v4.new_output("stream", name="stdout", text="1\n")
    made.cells = [nbformat.v4.new_code_cell("print(1)", id="first", execution_count=1, outputs=[output])]
    made.cells += [nbformat.v4.new_code_cell(text, id=f"more-{place}") for place, text in enumerate(more)]
    nbformat.validate(made)
    nbformat.write(made, path)


def read(path: Path) -> Any:
    """Return a notebook that is right."""
    found = nbformat.read(path, as_version=4)
    nbformat.validate(found)
    return found


def run(*command: str | Path, expected: int = 0) -> None:
    """Run a tool."""
    python, *rest = map(str, command)
    done = subprocess.run([python, "-m", *rest], capture_output=True, text=True, check=False)
    assert done.returncode == expected, done.stdout + done.stderr


def convert(tools: Path, path: Path) -> None:
    run(tools, "nbconvert", "--to", "notebook", "--inplace", path)


def strip(tools: Path, path: Path) -> None:
    run(tools, "nbstripout", path)
    assert not read(path).cells[0].outputs


def pair(tools: Path, path: Path) -> None:
    run(tools, "jupytext", "--sync", path)
    script = path.with_suffix(".py")
    assert "sha256:" not in script.read_text()  # the script has its own form, and the notebook keeps the rest
    script.write_text(script.read_text() + "\n# %%\nprint(2)\n")
    run(tools, "jupytext", "--sync", script)
    assert read(path).cells[1].source == "print(2)"


@pytest.mark.parametrize("use", [convert, strip, pair])
def test_tools_keep_it(tools: Path, file: Path, bond: Bond, use: Callable[[Path, Path], None]) -> None:
    use(tools, file)
    assert read(file).metadata["envstore"] == bond


def test_a_merge_takes_the_bond_of_whoever_changed_it(tools: Path, tmp_path: Path, record: BuildRecord) -> None:
    base, ours, theirs, merged = (tmp_path / f"{name}.ipynb" for name in ("base", "ours", "theirs", "merged"))
    builds = {number: bond_of(record, f"{number}{number}" * 32, "team", "data", number) for number in (1, 2, 3)}
    write(base, {"envstore": builds[1]})
    write(ours, {"envstore": builds[1]}, "ours")
    write(theirs, {"envstore": builds[2]})
    run(tools, "nbdime", "merge", base, ours, theirs, "--out", merged)
    assert read(merged).metadata["envstore"] == builds[2]
    assert [cell.source for cell in read(merged).cells] == ["print(1)", "ours"]
    write(ours, {"envstore": builds[3]})
    run(
        tools, "nbdime", "merge", base, ours, theirs, "--out", merged, expected=1
    )  # both changed it, which nbdime tells
    assert read(merged).metadata["envstore"]["build"] in (1, 2, 3)
