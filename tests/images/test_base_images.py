"""The base of an image: fetched into whatever store of blobs there is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.engine.solve import current_platform
from jupyter_envstore.images.base_images import fetch_base
from jupyter_envstore.images.oci import Layer
from tests.helpers import DistantBlobs


def test_the_layers_of_a_base_are_fetched_into_a_store_elsewhere(base: Path, tmp_path: Path) -> None:
    blobs, kept = DistantBlobs(tmp_path), list[Layer]()
    found = fetch_base(f"oci:{base}", current_platform(), cast("BlobStore", blobs), kept.append, tmp_path / "cache")
    assert found.layers == tuple(kept)
    (layer,) = kept
    assert hashlib.sha256(blobs.there.read(layer.digest)).hexdigest() == layer.digest
    assert blobs.copied == []  # what was fetched is checked where it is
