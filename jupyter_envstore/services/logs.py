"""Logs of builds: read whole, and followed."""

from __future__ import annotations

import zlib

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.builds.deletion import is_gone
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.database import builds as rows
from jupyter_envstore.database.connection import Database, Session
from jupyter_envstore.database.jobs import is_worked_on
from jupyter_envstore.database.models import Build
from jupyter_envstore.errors import NotFoundError
from jupyter_envstore.services.values import LogMark


class Logs:
    """What workers wrote while they built."""

    def __init__(self, config: StoreConfig, database: Database, blobs: BlobStore) -> None:
        self._config = config
        self._database = database
        self._blobs = blobs

    def read(self, build_id: int) -> str:
        """Return the log so far."""
        with self._database.read() as session:
            digest = self._with_log(session, build_id).log_digest
            chunks = rows.log_chunks(session, build_id)
        text = zlib.decompress(self._blobs.read(digest)).decode() if digest else ""
        return text + "".join(chunk.text for chunk in chunks)

    def part(self, build_id: int, offset: int) -> tuple[str, int]:
        """Return the log so far behind byte ``offset``, and the offset behind it."""
        data = self.read(build_id).encode()
        return data[offset:].decode(errors="replace"), len(data)

    def since(self, build_id: int, mark: LogMark | None = None) -> tuple[bytes, LogMark, bool]:
        """Return what the log has behind a mark, the new mark, and whether more may come.

        Pieces of a log become one blob now and then; the mark holds how many bytes were seen: none is told twice.
        """
        mark = mark or LogMark()
        with self._database.read() as session:
            digest = self._with_log(session, build_id).log_digest
            busy = is_worked_on(session, build_id)
            found = rows.log_chunks(session, build_id, mark.chunk if digest == mark.digest else 0)
        text = "".join(row.text for row in found).encode()
        if digest != mark.digest and digest:
            text = (zlib.decompress(self._blobs.read(digest)) + text)[mark.seen :]
        same = mark.chunk if digest == mark.digest else 0  # SQLite gives numbers of deleted rows to new ones
        last = found[-1].id if found else same
        return text, LogMark(last, digest, mark.seen + len(text)), busy

    def _with_log(self, session: Session, build_id: int) -> Build:
        build = rows.find_build(session, build_id, deleted=True).build
        if build.deleted_on is not None and (not build.log_digest or is_gone(self._config, session, build, "logs")):
            msg = f"there is no build {build_id}"
            raise NotFoundError(msg)
        return build
