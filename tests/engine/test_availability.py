"""Where the packages of a lock would come from: the store, its cache, a channel, or nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.engine.availability import package_sources
from jupyter_envstore.engine.record import PlatformLock
from tests.helpers import DistantBlobs
from tests.hostile import Raw


def test_a_store_elsewhere_is_asked_for_no_file(tmp_path: Path) -> None:
    blobs = DistantBlobs(tmp_path)
    records = []
    for name in ("damaged", "kept", "listed"):
        package = Raw(name, {f"share/{name}": name})
        records.append(package.write(tmp_path / "chan"))
        if name != "listed":
            digest = blobs.copy(tmp_path / "chan" / "noarch" / package.file_name).digest
        if name == "damaged":
            blobs.there.local_file(digest).write_bytes(b"x")
    sources = package_sources(PlatformLock(tuple(records)), tmp_path / "pkgs", cast("BlobStore", blobs))
    assert [(source.name, source.place, source.detail) for source in sources] == [
        ("damaged", "channel", "the kept file is damaged"),
        ("kept", "kept", ""),
        ("listed", "channel", ""),
    ]
    assert blobs.copied == []
