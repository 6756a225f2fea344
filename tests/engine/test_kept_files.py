"""Files of the store that are being linked stay until they are, whoever frees them meanwhile."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from jupyter_envstore.blobs.local import LocalBlobStore
from jupyter_envstore.engine.channels import local_path
from jupyter_envstore.engine.kept_files import from_store, local_wheels
from jupyter_envstore.engine.link import link_conda
from jupyter_envstore.engine.progress import Silent
from jupyter_envstore.engine.record import PlatformLock
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.errors import PackageError
from tests.hostile import Raw


@pytest.mark.parametrize("other_file_system", [False, True])
def test_a_file_that_is_freed_while_it_is_linked_is_linked(tmp_path: Path, other_file_system: bool) -> None:
    package = Raw("honest", {"share/h": "h"})
    record = package.write(tmp_path / "chan")
    file = tmp_path / "chan" / "noarch" / package.file_name
    blobs = LocalBlobStore(Path("/dev/shm") / tmp_path.name if other_file_system else tmp_path / "blobs")
    digest = blobs.copy(file).digest
    file.unlink()
    with from_store([record], tmp_path / "pkgs", blobs.local_file, Silent(), tmp_path / "job") as (records, addresses):
        blobs.local_file(digest).unlink()  # as gc does once nobody keeps it
        (given,) = records
        place = local_path(given["url"])
        assert place is not None
        assert hashlib.sha256(place.read_bytes()).hexdigest() == digest
        prefix = tmp_path / "job" / "prefix"
        link_conda(PlatformLock((given,)), current_platform(), prefix, prefix, tmp_path / "pkgs" / "conda", Silent())
        assert (prefix / "share" / "h").read_text() == "h"
        assert addresses == {given["url"]: record["url"]}
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["prefix"]


@pytest.mark.parametrize(("key", "value"), [("fn", "../../out-1-0.conda"), ("subdir", ".."), ("subdir", "/tmp")])
def test_names_of_a_lock_lead_nowhere_else(tmp_path: Path, key: str, value: str) -> None:
    package = Raw("honest", {"share/h": "h"})
    record = package.write(tmp_path / "chan") | {key: value}
    blobs = LocalBlobStore(tmp_path / "blobs")
    blobs.copy(tmp_path / "chan" / "noarch" / package.file_name)
    with (
        pytest.raises(PackageError, match=key),
        from_store([record], tmp_path / "pkgs", blobs.local_file, Silent(), tmp_path / "job"),
    ):
        pytest.fail("it was let in")
    assert list((tmp_path / "job").iterdir()) == []


@pytest.mark.parametrize("name", ["../out-1-py3-none-any.whl", "a/b-1-py3-none-any.whl", "/tmp/c-1-py3-none-any.whl"])
def test_no_wheel_is_linked_out_of_its_folder(tmp_path: Path, name: str) -> None:
    blobs = LocalBlobStore(tmp_path / "blobs")
    package = {"filename": name, "sha256": blobs.put(b"x").digest, "url": "https://host.example/x.whl"}
    (tmp_path / "job").mkdir()
    assert local_wheels([package], blobs.local_file, tmp_path / "job", Silent()) == [package]
    assert list((tmp_path / "job").iterdir()) == []
