"""An image as one file: an OCI layout in a tar file, with what ``docker load`` of older Dockers reads beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.engine.tarstream import header
from jupyter_envstore.images.oci import INDEX, MANIFEST, canonical, parts_of

BLOCK = 512
RECORD = 10_240
PIECE = 1 << 20


@dataclass(frozen=True)
class Member:
    """A file of the archive: its name, its bytes, and what opens it."""

    name: str
    size: int
    open: Callable[[], BinaryIO]


def _text(name: str, data: bytes) -> Member:
    return Member(name, len(data), partial(io.BytesIO, data))


class ImageArchive:
    """The tar file of an image (OCI image specification, ``image-layout.md``): the same bytes each time.

    Parameters
    ----------
    digest : str
        SHA-256 of the manifest, in hexadecimal.
    name : str
        What the image is called once it is loaded, ``name:tag``.
    """

    def __init__(self, blobs: BlobStore, digest: str, name: str) -> None:
        data = blobs.read(digest)
        parts = parts_of(data)
        tag = name.rpartition(":")[2]
        entry = {
            "mediaType": MANIFEST,
            "digest": f"sha256:{digest}",
            "size": len(data),
            "annotations": {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": name},
        }
        index = canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})
        value = json.loads(data)
        config, *layers = (  # all layers, those that stand twice too
            f"blobs/sha256/{item['digest'].partition(':')[2]}" for item in (value["config"], *value["layers"])
        )
        old = canonical([{"Config": config, "RepoTags": [name], "Layers": layers}])
        layout = canonical({"imageLayoutVersion": "1.0.0"})
        self.parts = [part for part, _ in parts]
        self.members = [
            _text("oci-layout", layout),
            _text("index.json", index),
            _text("manifest.json", old),
            _text(f"blobs/sha256/{digest}", data),
            *(Member(f"blobs/sha256/{part}", size, partial(blobs.open, part)) for part, size in parts),
        ]

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        plain = sum(BLOCK + member.size + -member.size % BLOCK for member in self.members) + 2 * BLOCK
        return plain + -plain % RECORD

    def pieces(self) -> Iterator[bytes]:
        """Yield the file piece by piece.

        Raises
        ------
        OSError
            A part is gone, or became shorter.
        """
        sent = 0
        for member in self.members:
            yield header(member.name, b"0", 0o644, member.size)
            left = member.size
            with member.open() as file:
                while left and (data := file.read(min(left, PIECE))):
                    left -= len(data)
                    yield data
            if left:
                msg = f"{member.name} became shorter while it was read"
                raise OSError(msg)
            yield b"\0" * (-member.size % BLOCK)
            sent += BLOCK + member.size + -member.size % BLOCK
        yield b"\0" * (self.size - sent)
