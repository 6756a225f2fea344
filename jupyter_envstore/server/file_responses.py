"""Files sent in pieces: ranges, conditions, names for downloads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import BinaryIO

from tornado.httputil import HTTPHeaders, _get_content_range, _parse_request_range
from tornado.iostream import StreamClosedError

from jupyter_envstore.blobs.interface import BlobFile, Download
from jupyter_envstore.errors import PreconditionError, RangeError, StorageError
from jupyter_envstore.remote.headers import VERSION
from jupyter_envstore.server.base import EnvStoreHandler

PLAIN = "text/plain; charset=utf-8"
PIECE = 1 << 20
"""Bytes that are read at a time; what is held of a file at any moment."""


class FileHandler(EnvStoreHandler):
    """A handler that sends files of the store. They are named by their hash, so they never change."""

    noted: tuple[int, str] | None = None
    """Build and artifact that the audit notes when the beginning of the file is sent."""

    async def send_file(self, file: BlobFile, digest: str, download: Download) -> None:
        """Send a blob, or the part of it that is asked for; or say where its store sends it itself."""

        async def send(start: int, end: int) -> None:
            await self._send_pieces(file, start, end)

        async def elsewhere(attachment: bool) -> str:
            return await self.run(file.address, download._replace(attachment=attachment))

        await self._send(send, file.size, digest, download, elsewhere)

    async def send_pieces(self, pieces: Iterator[bytes], size: int, digest: str, media_type: str, name: str) -> None:
        """Send a file that is put together while it is sent: all of it, since it lies nowhere."""
        self.set_header("ETag", f'"{digest}"')
        self.set_header("Cache-Control", "private, no-cache")
        self.set_disposition(name, attachment=True)
        if matches(self.request.headers, f'"{digest}"'):
            self.set_status(304)
            await self.finish_as(media_type)
            return
        self.set_header("Content-Length", size)
        if self.request.method != "HEAD":
            if self.noted is not None:
                await self.run(self.store.artifacts.note_download, self.identity.name, *self.noted)
            self.set_header("Content-Type", media_type)
            while (data := await self.run(next, pieces, None)) is not None:
                self.write(data)
                if await self.moved_on():
                    return
        await self.finish_as(media_type)

    async def send_whole(self, data: bytes, digest: str, media_type: str, name: str) -> None:
        """Send a text that is at hand, or the part of it that is asked for."""

        async def send(start: int, end: int) -> None:
            self.write(data[start:end])

        await self._send(send, len(data), digest, Download(name, media_type, attachment=False))

    async def _send(
        self,
        send: Callable[[int, int], Awaitable[None]],
        size: int,
        digest: str,
        download: Download,
        elsewhere: Callable[[bool], Awaitable[str]] | None = None,
    ) -> None:
        """Answer with what ``send`` writes, as conditions and range say (RFC 9110, sections 13 and 14).

        If ``elsewhere`` knows an address, who asks for the content is sent there: it is told whether a browser shall
        save the file. Whoever follows asks for the same range there.
        """
        etag = f'"{digest}"'
        media_type = download.media_type
        self.set_header("Content-Type", media_type)
        self.set_header("ETag", etag)
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Cache-Control", "private, no-cache")
        self.set_disposition(download.name, download.attachment)
        expected = self.request.headers.get("If-Match")
        if expected is not None and expected.strip() != "*" and etag not in _tags(expected):  # weak ones match nothing
            msg = "the file is not the one that If-Match names; ask for it again"
            raise PreconditionError(msg)
        if matches(self.request.headers, etag):
            self.set_status(304)
            self.clear_header("Content-Type")
            await self.finish_as(media_type)
            return
        start, end = self._range(size, etag)
        self.set_header("Content-Length", end - start)
        if self.request.method != "HEAD" and self.noted is not None and self._is_due(self.noted, start == 0):
            await self.run(self.store.artifacts.note_download, self.identity.name, *self.noted)
        if self.request.method != "HEAD":
            if (
                elsewhere is not None
                and self._follows()
                and (address := await elsewhere(self._is_saved(download.attachment)))
            ):
                await self._send_elsewhere(address)
                return
            await send(start, end)
        await self.finish_as(media_type)

    async def _send_elsewhere(self, address: str) -> None:
        """Send whoever asks to an address that works for a while: nobody may keep the answer for longer."""
        for name in ("Content-Length", "Content-Range", "Content-Disposition", "ETag", "Accept-Ranges"):
            self.clear_header(name)
        self.set_header("Cache-Control", "private, no-store")
        self.set_header("Location", address)
        self.set_status(307)
        await self.finish_as("text/plain")

    def set_disposition(self, name: str, attachment: bool = False) -> None:
        """Name the file; a browser shows it in a tab unless it is an attachment or a download is asked for."""
        kind = "attachment" if self._is_saved(attachment) else "inline"
        self.set_header("Content-Disposition", f'{kind}; filename="{name}"')

    def _follows(self) -> bool:
        """Whether the client can be sent to the object store.

        Stores that are clients of this one follow nowhere, since they have its token. Scripts of a page would need the
        object store's consent (CORS), so only what a browser goes to itself is sent on. ``If-Match`` names a tag of
        this server.
        """
        headers = self.request.headers
        is_script = headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        return not (is_script or VERSION in headers or "If-Match" in headers)

    def _is_saved(self, attachment: bool) -> bool:
        return self.flag("download") or attachment

    def note_once(self, build_id: int, kind: str) -> None:
        """Have the audit note what is read again and again once an hour; nobody waits for that, or is refused."""
        if self.request.method == "HEAD" or not self._is_due((build_id, kind)):
            return

        async def note() -> None:
            try:
                await self.run(self.store.artifacts.note_download, self.identity.name, build_id, kind)
            except StorageError as error:
                self.log.warning("envstore: the audit does not note a download: %s", error)

        self.context.download_notes.write(note())

    def _is_due(self, noted: tuple[int, str], always: bool = False) -> bool:
        """Whether the audit notes it now: once an hour, or ``always``."""
        return self.context.download_notes.is_due((self.identity.name, noted), always)

    async def finish_as(self, media_type: str) -> None:
        """Finish, where the base class would say that it is JSON."""
        await self.finish(set_content_type=media_type)

    def _range(self, size: int, etag: str) -> tuple[int, int]:
        """Return where to start and end.

        Raises
        ------
        RangeError
            The part lies outside of the file.
        """
        header = self.request.headers.get("Range")
        condition = self.request.headers.get("If-Range")
        wanted = _parse_request_range(header) if header and condition in (None, etag) else None
        if wanted is None:
            return 0, size
        start, end = wanted
        if start is not None and start < 0:
            start = max(size + start, 0)
        start, end = start or 0, size if end is None else min(end, size)
        if start >= size or end <= start:
            msg = f"the part {header!r} lies outside of the file, which has {size} bytes"
            raise RangeError(msg, size)
        if (start, end) != (0, size):
            self.set_status(206)
            self.set_header("Content-Range", _get_content_range(start, end, size))
        return start, end

    async def _send_pieces(self, blob: BlobFile, start: int, end: int) -> None:
        loop, pool = asyncio.get_running_loop(), self.context.threads.pool
        file, data = await self.run(_open_at, blob, start, min(PIECE, end - start))
        left = end - start
        try:
            while data:
                left -= len(data)
                self.write(data)
                del data
                await self.flush()
                data = await loop.run_in_executor(pool, file.read, min(PIECE, left)) if left > 0 else b""
        except StreamClosedError:
            return
        finally:
            file.close()


def _open_at(blob: BlobFile, start: int, count: int) -> tuple[BinaryIO, bytes]:
    """Open a blob and read its first piece."""
    file = blob.open()
    try:
        file.seek(start)
        return file, file.read(count)
    except BaseException:
        file.close()
        raise


def matches(headers: HTTPHeaders, etag: str) -> bool:
    """Whether the client has this very file already (``If-None-Match``)."""
    wanted = headers.get("If-None-Match", "")
    return wanted.strip() == "*" or etag in (tag.removeprefix("W/") for tag in _tags(wanted))


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]
