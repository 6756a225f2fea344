"""Script blocks for uv and juv: what they ask for, and where they stand in a text."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from jupyter_envstore.engine.distributions import distributions_of
from jupyter_envstore.errors import SpecificationError
from jupyter_envstore.notebooks.script_block import (
    Requested,
    block_lines,
    requested_from_pypi,
    script_with_block,
    with_block,
)
from jupyter_envstore.spec.converting.script import script_block, script_draft
from tests.helpers import Store

DISTRIBUTIONS = {
    "pytorch": ["torch"],
    "numpy": ["numpy"],
    "jupyterlab-suite": ["one", "two"],
    "pyyaml": ["PyYAML", "_yaml"],
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


def test_packages_tell_their_names_on_pypi(store: Store, channel: str) -> None:
    view = store.build(f"name: x\nchannels: [{channel}]\ndependencies: [python, python-dateutil, jupyter-client]\n")
    found = distributions_of(Path(store.envstore.prefixes.path(view["id"])))
    assert found["python-dateutil"] == ["python-dateutil"]
    assert found["jupyter-client"] == ["jupyter_client"]
    assert "python" not in found
