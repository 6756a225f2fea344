"""What the cells of a notebook import, as their text tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_envstore.notebooks.imported_modules import python_modules, r_packages


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import os, numpy as np\nfrom sklearn.svm import SVC", ["numpy", "sklearn"]),
        ("def f():\n    import pandas\ntry:\n    import cv2\nexcept ImportError:\n    pass", ["pandas", "cv2"]),
        ("%matplotlib inline\n!ls\nimport six\nsix?", ["six"]),
        ("%%time\nimport six", ["six"]),
        ("%%bash\nimport six", []),
        ("import a.b, c as d\nx = = 1\nfrom e.f import g", ["a", "c", "e"]),
        ("from . import x\nfrom .y import z\nimport __main__", []),
        ("from google.cloud import storage\nimport google.auth", ["google.cloud.storage", "google.auth"]),
        ("import 10 rows\nimport six\nx = = 1", ["six"]),
        ("-" * 100_000 + "1\n\nimport six", ["six"]),
        ("'import six'\n# import six", []),
        ("", []),
    ],
)
def test_python(code: str, modules: list[str]) -> None:
    assert sorted(python_modules([code, code])) == sorted(modules)


def test_modules_beside_the_notebook_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "helper.py").touch()
    (tmp_path / "tools").mkdir()
    assert python_modules(["import helper, tools.x, six"], tmp_path) == ["six"]


def test_r() -> None:
    code = "library(dplyr)\nrequire('ggplot2'); x <- readr::read_csv('#a')\nlibrary(stats)\n# library(foo)"
    code += "\nlibrary(package = tidyr)\nlibrary(p, character.only = TRUE)"
    assert r_packages([code]) == ["dplyr", "ggplot2", "readr", "tidyr"]
