"""The log of a build that has settled: one compressed blob in place of many rows."""

from __future__ import annotations

import zlib
from collections.abc import Collection

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.builds.blob_collection import confirmed
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.blob_references import refer
from jupyter_envstore.database.connection import Database
from jupyter_envstore.database.models import Build


def keep_log(database: Database, blobs: BlobStore, build_id: int, settled: Collection[str]) -> None:
    """Move the log of a build into a blob, behind what is there, if its status is one of ``settled``.

    The blob is stored before the transaction, in which others wait. Where another worker of the build did the same
    meanwhile, it is done once more: nobody else might come for the rest.
    """
    while _keep_rows(database, blobs, build_id, settled):
        pass


def _keep_rows(database: Database, blobs: BlobStore, build_id: int, settled: Collection[str]) -> bool:
    """Move what there is now; whether another was faster."""
    with database.read() as session:
        build = session.get_one(Build, build_id)
        status, before = build.status, build.log_digest
        chunks = rows.log_chunks(session, build_id)
    if status not in settled or not chunks:
        return False
    text = "".join(chunk.text for chunk in chunks).encode()
    if before:
        text = zlib.decompress(blobs.read(before)) + text
    blob = blobs.put(zlib.compress(text))
    known = confirmed(database, blobs, [blob.digest])
    with database.write() as session:
        build = session.get_one(Build, build_id)
        if build.log_digest != before:
            return True
        if rows.forget_chunks(session, build_id, chunks[-1].id):  # else the build was deleted meanwhile
            refer(session, known, blob, f"build:{build_id}:log")
            build.log_digest = blob.digest
    return False
