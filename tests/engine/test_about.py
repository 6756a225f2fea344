"""What packages say of themselves."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

from jupyter_envstore.engine.package_metadata import about_package, about_wheel


def test_a_pypi_package_says_what_it_is() -> None:
    about = about_wheel(Path(sys.prefix), {"name": "traitlets", "version": version("traitlets")})
    assert about["summary"] == "Traitlets Python configuration system"
    assert about["home"].startswith("https://")
    assert about["source"].startswith("https://")


def test_links_are_addresses_of_pages_and_nothing_else(tmp_path: Path) -> None:
    info = tmp_path / "bad-1-0" / "info"
    info.mkdir(parents=True)
    (info / "about.json").write_text(
        json.dumps({"home": "http://[bad", "doc_url": ["https://docs.example/"], "dev_url": 7, "summary": "s"})
    )
    about = about_package(tmp_path, {"name": "bad", "version": "1", "build": "0"})
    assert (about["home"], about["documentation"], about["source"]) == ("", "https://docs.example/", "")


def test_a_folder_is_found_though_it_is_spelled_otherwise(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "python3.11" / "site-packages" / "Ruamel.YAML_x-6.0.2.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Name: x\nSummary: YAML parser\nHome-page: javascript:alert(1)\n")
    about = about_wheel(tmp_path, {"name": "ruamel-yaml-x", "version": "6.0.2"})
    assert (about["summary"], about["home"]) == ("YAML parser", "")


def test_a_package_that_is_not_on_the_disk_says_nothing(tmp_path: Path) -> None:
    entry = {"name": "away", "version": "1", "build": "0", "license": "MIT"}
    assert about_package(tmp_path, entry)["license"] == "MIT"
    assert about_wheel(tmp_path, entry)["summary"] == ""
