"""What an archive contains, where a package is not as conda-pack reads it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jupyter_envstore.artifacts.packed_files import packed_files
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.prefix import walk_files
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.solve import current_platform, solve
from jupyter_envstore.errors import ArtifactError
from tests.hostile import PLACEHOLDER, Raw

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
MODULE = {
    "site-packages/mod/__init__.py": "A = 1\n",
    "site-packages/mod/place.txt": f"{PLACEHOLDER}/share\n",
    "python-scripts/run": f"#!{PLACEHOLDER}/bin/python\n",
    "share/mod": "data\n",
}
LINKS = {
    "without link.json": None,
    "as usual": {"noarch": {"type": "python", "entry_points": ["prog = mod:A"]}, "package_metadata_version": 1},
}
ODD = {"users/a": "1", "envs/b": "1", "pkgs/c": "1", "d~": "1", "site-packages/e": "1"}
"""Paths of a package that is for no Python, which conda-pack does not look at or takes for others."""


@pytest.mark.parametrize("kind", LINKS)
def test_every_file_that_was_linked_is_packed(kind: str, channel: str, tmp_path: Path) -> None:
    module = Raw("mod", MODULE, depends=["python"], index={"noarch": "python"}, link=LINKS[kind])
    odd = Raw("odd", ODD, link={"noarch": {"type": "python"}, "package_metadata_version": 1})
    records = solve([f"python={PYTHON}"], [channel], current_platform(), tmp_path / "repodata").records
    lock = PlatformLock((module.write(tmp_path / "chan"), odd.write(tmp_path / "chan"), *records))
    prefix, cache = tmp_path / "prefix", tmp_path / "pkgs" / "conda"
    linked = link_conda(lock, current_platform(), prefix, Path("/opt/elsewhere"), cache, Silent())
    present = dict(walk_files(prefix))
    files = {file.target: file for file in packed_files(prefix, present, linked.site_packages, ())}
    assert files.keys() == {path for path, _ in walk_files(prefix)}
    assert all(Path(file.source).exists() or Path(file.source).is_symlink() for file in files.values())
    place = files[f"{linked.site_packages}/mod/place.txt"]
    assert (place.source, place.file_mode, place.prefix_placeholder) == (
        str(cache / "mod-1.0-0" / "site-packages" / "mod" / "place.txt"), "text", PLACEHOLDER,
    )  # fmt: skip
    assert files["bin/run"].source == str(cache / "mod-1.0-0" / "python-scripts" / "run")
    assert ("bin/prog" in files) == (kind == "as usual")
    assert ODD.keys() <= files.keys()
    (prefix / "share" / "mod").unlink()
    with pytest.raises(ArtifactError, match=r"share/mod of mod 1\.0 is missing"):
        packed_files(prefix, dict(walk_files(prefix)), linked.site_packages, ())
    assert "share/mod" not in {
        file.target for file in packed_files(prefix, dict(walk_files(prefix)), linked.site_packages, ["share/mod"])
    }
