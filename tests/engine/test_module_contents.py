"""Modules are found in unpacked packages and in environments, by their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_envstore.engine.module_contents import cached_packages_with, check_module, pip_packages_with


def write(root: Path, *files: str) -> None:
    """Write empty files."""
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A package cache."""
    site = "lib/python3.12/site-packages"
    write(tmp_path / "scikit-learn-1.5-py312_0", f"{site}/sklearn/__init__.py", f"{site}/sklearn/svm.py")
    write(tmp_path / "google-a-1-pyhd_0", "site-packages/google/a/__init__.py")
    write(tmp_path / "google-b-1-pyhd_0", "site-packages/google/b.py")
    write(tmp_path / "fast-1-py312_0", f"{site}/fast.cpython-312-x86_64-linux-gnu.so", f"{site}/stable.abi3.so")
    write(tmp_path / "r-dplyr-1.1-r44_0", "lib/R/library/dplyr/DESCRIPTION")
    write(tmp_path, "six-1-0.lock")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "found"),
    [
        ("sklearn", {"scikit-learn"}),
        ("sklearn.svm", {"scikit-learn"}),
        ("sklearn.none", set()),
        ("google", {"google-a", "google-b"}),
        ("google.b", {"google-b"}),
        ("fast", {"fast"}),
        ("stable", {"fast"}),
        ("fas", set()),
        ("six", set()),
    ],
)
def test_a_module_is_found_by_its_files(cache: Path, module: str, found: set[str]) -> None:
    assert {name for name, _, _ in cached_packages_with(module, "python", cache)} == found


def test_a_package_of_r_is_found(cache: Path) -> None:
    assert cached_packages_with("dplyr", "r", cache) == {("r-dplyr", "1.1", "r44_0")}
    assert cached_packages_with("dplyr", "python", cache) == set()
    assert cached_packages_with("dplyr", "r", cache / "none") == set()


def test_packages_of_pip_are_found_by_their_record(tmp_path: Path) -> None:
    site = "lib/python3.12/site-packages"
    write(tmp_path, f"{site}/cowsay/__init__.py", f"{site}/six.py")
    for name, installer, record in (("cowsay-6.0", "uv", "cowsay/__init__.py,,"), ("six-1.0", "conda", "six.py,,")):
        info = tmp_path / site / f"{name}.dist-info"
        info.mkdir()
        (info / "INSTALLER").write_text(f"{installer}\n")
        (info / "RECORD").write_text(f"{record}\n{name}.dist-info/RECORD,,\n")
    assert pip_packages_with("cowsay", tmp_path) == {"cowsay"}
    assert pip_packages_with("six", tmp_path) == set()  # conda installed it


@pytest.mark.parametrize("name", ["", ".", "..", "a..b", "a/b", "../x", "a b", "1a", "x" * 201])
def test_what_is_no_module_never_becomes_a_path(name: str) -> None:
    for language in ("python", "r"):
        with pytest.raises(ValueError, match="is no name of a module"):
            check_module(name, language)  # type: ignore[arg-type]
