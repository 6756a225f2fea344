"""Script blocks for uv and juv: what they ask for, and where they stand in a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from jupyter_envstore.engine.distributions import distributions_of
from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.notebooks.pypi_requests import Requested, requested_from_pypi
from jupyter_envstore.notebooks.script_block import block_lines, put_into_cells, script_with_block, with_block
from jupyter_envstore.spec.converting.script import script_block, script_draft
from tests.helpers import Store

DISTRIBUTIONS = {
    "pytorch": ["torch"],
    "numpy": ["numpy"],
    "jupyterlab-suite": ["one", "two"],
    "pyyaml": ["PyYAML", "_yaml"],
    "matplotlib-base": ["matplotlib"],
}


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        ("numpy", "numpy"),
        ("numpy=1.2", "numpy==1.2.*"),
        ("numpy 1.2", "numpy==1.2"),
        ("numpy >=1.2,<2.*", "numpy<2,>=1.2"),
        ("conda-forge::pytorch ~=2.1", "torch~=2.1"),
        ("pyyaml !=6.0.*", "PyYAML!=6.0.*"),
        ("numpy=1.26,!=1.26.3", "numpy!=1.26.3,==1.26.*"),
        ("numpy >=2.0rc1", "numpy>=2.0rc1"),
        ("matplotlib", "matplotlib"),
    ],
)
def test_bounds_and_names_are_those_of_pypi(spec: str, line: str) -> None:
    found = requested_from_pypi([spec], [], DISTRIBUTIONS, "3.12.1")
    assert found == Requested(">=3.12", (line,), ())
    assert str(Requirement(line)) == line


@pytest.mark.parametrize(
    ("spec", "line", "why"),
    [
        ("numpy 1.2|1.3", "numpy", "the bounds ==1.2|==1.3 cannot be written for PyPI"),
        ("numpy=1.2=py312_0", "numpy==1.2", "its build py312_0 is conda's alone"),
        ("numpy==2024a", "numpy", "the bounds ==2024a cannot be written for PyPI"),
        ("gcc", None, "it is no package of PyPI"),
        ("jupyterlab-suite", None, "it contains several packages of PyPI: one, two"),
    ],
)
def test_what_a_block_cannot_say_is_told(spec: str, line: str | None, why: str) -> None:
    found = requested_from_pypi([spec], ["cowsay>=6"], DISTRIBUTIONS, "")
    assert found.dependencies == ((line,) if line else ()) + ("cowsay>=6",)
    assert found.left_out == (f"{spec}: {why}",)
    assert found.python == ""


def test_python_is_the_one_that_was_asked_for() -> None:
    assert requested_from_pypi(["python 3.11.*"], [], {}, "3.11.2") == Requested("==3.11.*", (), ())
    assert requested_from_pypi(["python"], [], {}, "3.11.2").python == ">=3.11"
    twice = requested_from_pypi(["numpy"], ["NumPy==2", 'six; python_version > "3"'], DISTRIBUTIONS, "3.11")
    assert twice.dependencies == ("NumPy==2", 'six; python_version > "3"')
    several = ["numpy >=1.26", "numpy <2", "python >=3.10", "python <3.12"]
    assert requested_from_pypi(several, [], DISTRIBUTIONS, "") == Requested(">=3.10,<3.12", ("numpy>=1.26,<2",), ())
    lines = ['six<2; python_version < "3.9"', 'six>=2; python_version >= "3.9"']
    assert requested_from_pypi([], lines, {}, "").dependencies == tuple(lines)
    hashed = requested_from_pypi([], [f"six==1 --hash=sha256:{'0' * 64}"], {}, "")
    assert (hashed.dependencies, hashed.left_out) == (("six==1",), ("six==1: its hashes",))


def test_a_block_is_replaced_and_its_tables_stay() -> None:
    requested = Requested(">=3.12", ('six>=1; sys_platform == "linux"', "numpy"), ())
    old = (
        "#!/usr/bin/env python\n# /// script\n# dependencies = [\n#     'old',  # why\n# ]\n#\n# [tool.uv]  # mine\n"
        '# exclude-newer = "2026-01-01T00:00:00Z"\n# ///\nprint(1)\n'
    )
    new = script_with_block(old, requested)
    assert new.startswith("#!/usr/bin/env python\n# /// script\n# requires-python")
    assert new.endswith('#\n# [tool.uv]  # mine\n# exclude-newer = "2026-01-01T00:00:00Z"\n# ///\nprint(1)\n')
    assert "old" not in new
    draft = script_draft(script_block(new) or "", "x")
    assert (draft.python, draft.pip) == (">=3.12", list(requested.dependencies))
    assert script_with_block(new, requested) == new
    with pytest.raises(SpecificationError, match="does not end"):
        with_block("# /// script\n# a", requested)


@pytest.mark.parametrize(
    "head", ["", "#!/usr/bin/env python\n", "# -*- coding: utf-8 -*-\n", "#! x\n# coding: utf-8\n"]
)
def test_a_new_block_stands_behind_the_lines_that_must_be_first(head: str) -> None:
    requested = Requested("", ("six",), ())
    block = "\n".join(block_lines(requested))
    assert script_with_block(f"{head}print(1)\n", requested) == f"{head}{block}\n\nprint(1)\n"
    assert script_with_block(head, requested) == f"{head}{block}\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_all_but_the_block_stays_as_it_is(end: str) -> None:
    text = "# /// script\n# dependencies = ['a']\n# ///\ns = 'a\u2028b\x0c\x85'\n\x0cdef f(): ...".replace("\n", end)
    new = script_with_block(text, Requested("", ("six",), ()))
    assert new == text.replace("# dependencies = ['a']", end.join(["# dependencies = [", '#     "six",', "# ]"]))
    bare = text.split(f"# ///{end}")[1]
    assert script_with_block(bare, Requested("", (), ())).endswith(f"# ///{end}{end}{bare}" if end in bare else bare)


@pytest.mark.parametrize(
    "kept",
    [
        "[ tool.uv ]\nnative-tls = true",
        'tool.uv.exclude-newer = "2026-01-01T00:00:00Z"',
        'tool.uv.environments = [\n["a"],\n]  # odd\n[tool.x]\ndependencies = [1]',
        "# a comment\n\n[[tool.uv.index]]\nurl = 'https://index.example'",
    ],
)
def test_what_other_tools_have_in_a_block_stays(kept: str) -> None:
    toml = f"dependencies = [\n  'old',  # [\n]\nrequires-python = '>=3.8'\n{kept}"
    text = "# /// script\n" + "".join(f"# {line}".rstrip() + "\n" for line in toml.splitlines()) + "# ///\n"
    new = script_with_block(text, Requested(">=3.12", ("six",), ()))
    assert (script_block(new) or "").endswith("\n" + kept)
    assert "old" not in new and "3.8" not in new
    with pytest.raises(SpecificationError, match="is not TOML"):
        script_with_block("# /// script\n# dependencies = [\n# ///\n", Requested("", (), ()))


def test_of_a_notebook_the_block_alone_is_changed() -> None:
    requested = Requested("", ("six",), ())
    others: list[dict[str, object]] = [
        {"cell_type": "markdown", "source": "# /// script\n# ///", "metadata": {"tags": 1}},
        {"cell_type": "code", "source": ["# /// script\n", "# ///\n", "x = 1"], "odd": True},
    ]
    cells = [dict(cell) for cell in others]
    put_into_cells(cells, requested, "new")
    assert cells[0] == others[0]
    block = [f"{line}\n" for line in block_lines(requested)]
    assert cells[1] == {**others[1], "source": [*block, "x = 1"]}
    alone = [dict(others[0])]
    put_into_cells(alone, requested, "")
    assert "id" not in alone[0]
    assert alone[1] == others[0]


def test_damaged_lists_of_files_are_passed_over(tmp_path: Path) -> None:
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    for number, text in enumerate(("{", "[]", '{"name": "x"}', '{"name": "x", "files": 3}', "\xff")):
        (meta / f"{number}.json").write_text(text, encoding="latin-1")
    files = ["lib/python3.12/site-packages/ruamel.yaml-1.egg-info/" + name for name in ("PKG-INFO", "SOURCES.txt")]
    (meta / "good.json").write_text(json.dumps({"name": "ruamel.yaml", "files": files}))
    assert distributions_of(tmp_path) == {"ruamel.yaml": ["ruamel.yaml"]}


def test_packages_tell_their_names_on_pypi(store: Store, channel: str) -> None:
    view = store.build(f"name: x\nchannels: [{channel}]\ndependencies: [python, python-dateutil, jupyter-client]\n")
    found = distributions_of(Path(store.envstore.prefixes.path(view["id"])))
    assert found["python-dateutil"] == ["python-dateutil"]
    assert found["jupyter-client"] == ["jupyter_client"]
    assert "python" not in found
