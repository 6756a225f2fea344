"""What an artifact that is being made consists of beside its own file: blobs, and layers that are found again."""

from __future__ import annotations

from collections.abc import Iterable

from jupyter_envstore.blobs.interface import BlobStore, StoredBlob
from jupyter_envstore.database import images
from jupyter_envstore.database.blob_references import Confirmed, parts_owner, refer_parts
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.images.oci import Layer


class StoredParts:
    """Parts in the store. What is found or kept is touched, so that no collection takes it before it is referred to."""

    def __init__(self, database: Database, blobs: BlobStore) -> None:
        self.database = database
        self.blobs = blobs
        self._kept: dict[str, int] = {}
        self._made: dict[str, tuple[str, str, int]] = {}

    def find(self, keys: Iterable[str]) -> dict[str, Layer]:
        """Return the layers of keys, by key, where their files are there."""
        with self.database.read() as session:
            rows = images.find_layers(session, keys)
        digests = {row.digest for row in rows.values()}
        self.blobs.touch(digests)  # first, so that what is found stays
        present = self.blobs.present(digests)
        return {key: Layer(row.digest, row.size, row.diff_id) for key, row in rows.items() if row.digest in present}

    def add(self, key: str, layer: Layer) -> None:
        """Remember a layer that was made."""
        self._made[key] = (layer.digest, layer.diff_id, layer.size)

    def keep(self, digest: str, size: int) -> None:
        """Note that the artifact needs a blob."""
        self.blobs.touch([digest])
        self._kept[digest] = size

    @property
    def digests(self) -> list[str]:
        """Digests of all parts."""
        return list(self._kept)

    def refer(self, session: Session, confirmed: Confirmed, artifact_id: int) -> None:
        """Write all of it down, in the transaction that says that the artifact is ready."""
        images.remember_layers(session, self._made)
        blobs = [StoredBlob(digest, size) for digest, size in self._kept.items()]
        refer_parts(session, confirmed, blobs, parts_owner(artifact_id))

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(self._kept.values())
