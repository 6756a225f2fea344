"""A bucket of a real object store: what others see, copies, redirects, and all that goes wrong with it."""

from __future__ import annotations

import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jupyter_envstore.blobs import blob_store
from jupyter_envstore.blobs import bucket as bucket_module
from jupyter_envstore.blobs import object_store as module
from jupyter_envstore.blobs.interface import Download
from jupyter_envstore.blobs.object_store import ObjectBlobStore
from jupyter_envstore.config import StoreConfig
from jupyter_envstore.errors import BlobStoreAwayError, InvalidInputError, StorageError
from tests.object_store import SECRET, ObjectStore

Opened = Callable[..., ObjectBlobStore]
DOWNLOAD = Download("e.tar.gz", "application/gzip", attachment=True)


def names(server: ObjectStore, bucket: str) -> list[str]:
    """Return the keys of a bucket."""
    return sorted(server.files().find(bucket.removeprefix("s3://")))


def test_another_machine_reads_what_one_stored_and_uploads_it_no_more(opened: Opened, server: ObjectStore) -> None:
    here, there = opened("here"), opened("there")
    data = os.urandom(1 << 20)
    blob = here.put(data)
    assert there.read(blob.digest) == data
    path = f"{here.bucket.place.removeprefix('s3://')}/sha256/{blob.digest[:2]}/{blob.digest}"
    uploaded = server.files().info(path)["LastModified"]
    time.sleep(1.1)  # times have whole seconds
    assert there.put(data) == blob
    assert server.files().info(path)["LastModified"] == uploaded
    assert there.age(blob.digest) < here.age(blob.digest) + 2


def test_nothing_is_seen_before_it_is_whole(
    opened: Opened, server: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = opened()
    with blobs.create() as writer:
        writer.write(b"x" * (1 << 20))
        assert not any("sha256" in name for name in names(server, bucket))
    monkeypatch.setattr(bucket_module, "PART", 5 << 20)
    digest = blobs.put(os.urandom(20 << 20)).digest  # in parts
    assert any(name.endswith(digest) for name in names(server, bucket))
    assert server.files().list_multipart_uploads(bucket.removeprefix("s3://")) == []


def test_copies_of_this_machine_keep_their_limit_and_what_a_job_uses_stays(opened: Opened, tmp_path: Path) -> None:
    there = opened("there")
    digests = [there.put(os.urandom(1 << 20)).digest for _ in range(8)]
    held = tmp_path / "here" / "staging" / "job-1-1"
    here = opened("here", held=held, blob_cache_gigabytes=0.003)
    cache = tmp_path / "here" / "blob-cache"
    first = here.local_file(digests[0])
    for digest in digests[1:]:
        path = here.local_file(digest)
        copy = cache / digest[:2] / digest
        os.utime(copy, (time.time() - 10_000, time.time() - 10_000 + digests.index(digest)))
        assert path.is_file()
    kept = list(cache.glob("??/*"))
    assert 1 <= len(kept) <= 4
    assert {digests[-1]} <= {path.name for path in kept}
    assert first.stat().st_size == 1 << 20
    assert first.is_relative_to(held)


def test_what_was_damaged_in_the_bucket_is_not_taken(opened: Opened, server: ObjectStore, bucket: str) -> None:
    there, here = opened("there"), opened("here")
    digest = there.put(b"content").digest
    server.files().pipe_file(f"{bucket}/some/prefix/sha256/{digest[:2]}/{digest}", b"CONTENT")
    with pytest.raises(StorageError, match=rf"s3://.*/some/prefix sent sha256:{digest} damaged"):
        here.local_file(digest)
    assert here.unfinished() == []


def test_clients_fetch_large_blobs_from_the_bucket(opened: Opened, server: ObjectStore) -> None:
    blobs = opened(blob_redirects=True)
    data = os.urandom(1 << 20)
    address = blobs.file(blobs.put(data).digest).address(DOWNLOAD)
    assert address.startswith(server.endpoint)
    assert SECRET not in address
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == data
        assert answer.headers["Content-Disposition"] == 'attachment; filename="e.tar.gz"'
        assert answer.headers["Content-Type"] == "application/gzip"
    request = urllib.request.Request(address, headers={"Range": "bytes=10-19"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == data[10:20]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address.replace("e.tar.gz", "f.tar.gz"))
    assert blobs.file(blobs.put(b"small").digest).address(DOWNLOAD) == ""
    assert opened().file(blobs.put(data).digest).address(DOWNLOAD) == ""
    public = opened(blob_redirects=True, blob_public_endpoint=f"http://localhost:{server.port}")
    elsewhere = public.file(public.put(data).digest).address(DOWNLOAD)
    assert elsewhere.startswith(f"http://localhost:{server.port}/")
    with urllib.request.urlopen(elsewhere) as answer:
        assert answer.read() == data


def test_an_address_ends(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ADDRESS_SECONDS", 1)
    blobs = opened(blob_redirects=True)
    address = blobs.file(blobs.put(os.urandom(1 << 20)).digest).address(DOWNLOAD)
    time.sleep(2.5)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address)


@pytest.mark.parametrize("how", ["stopped", "hangs"])
def test_a_bucket_that_is_away_is_waited_for(opened: Opened, server: ObjectStore, how: str) -> None:
    blobs = opened(patience=60.0, blob_options={**server.options(), "config_kwargs": {"read_timeout": 1}})
    first = blobs.put(b"before").digest
    if how == "stopped":
        server.stop_gateway()
        comes_back = threading.Timer(4.0, server.start_gateway)
    else:
        server.hang_gateway(hang=True)
        comes_back = threading.Timer(4.0, server.hang_gateway, [False])
    comes_back.start()
    started = time.monotonic()
    digest = blobs.put(b"meanwhile").digest
    assert time.monotonic() - started > 2
    comes_back.join()
    assert opened("there", patience=60.0).read(digest) == b"meanwhile"
    assert blobs.verify(first)


def test_a_bucket_that_stays_away_is_named(opened: Opened, server: ObjectStore, bucket: str) -> None:
    blobs = opened(patience=1.0)
    digest = blobs.put(b"content").digest
    server.stop_gateway()
    try:
        with pytest.raises(BlobStoreAwayError, match=rf"object store {bucket}/some/prefix does not answer: .*again"):
            blobs.put(b"other")
        with pytest.raises(BlobStoreAwayError):
            blobs.verify(digest)
        assert blobs.read(digest) == b"content"  # its copy is here
        assert blobs.unfinished() == []
    finally:
        server.start_gateway()
        server.wait()


def test_a_bucket_that_hangs_holds_requests_up_for_seconds(opened: Opened, server: ObjectStore) -> None:
    blobs = opened()
    digest = blobs.put(b"content").digest
    server.hang_gateway(hang=True)
    try:
        started = time.monotonic()
        with pytest.raises(BlobStoreAwayError, match="does not answer"):
            blobs.exists(digest)
        assert time.monotonic() - started < 10
        started = time.monotonic()
        with pytest.raises(BlobStoreAwayError, match="did not answer a moment ago; try again"):
            blobs.exists(digest)  # nobody else waits as long
        assert time.monotonic() - started < 1
    finally:
        server.hang_gateway(hang=False)
    time.sleep(2.5)
    assert blobs.exists(digest)


def test_a_refusal_is_named_at_once_and_without_secrets(opened: Opened, server: ObjectStore, bucket: str) -> None:
    place = f"the object store {bucket}/some/prefix refuses"
    for options, reason in (
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"key": "nobody", "secret": "wrong"}, "InvalidAccessKeyId"),
    ):
        blobs = opened("other", patience=30.0, blob_options={**server.options(), **options})
        started = time.monotonic()
        with pytest.raises(StorageError, match=rf"{place} \({reason}\); check the credentials") as caught:
            blobs.put(b"content")
        assert time.monotonic() - started < 10
        assert "wrong" not in str(caught.value)
    blobs = opened(patience=30.0)
    blobs.put(b"content")
    server.deny(denied=True)
    with pytest.raises(StorageError, match=rf"{place} \(UserSuspended\)"):
        blobs.put(b"more")


def test_a_bucket_that_is_not_there_is_named(server: ObjectStore, tmp_path: Path) -> None:
    config = StoreConfig(str(tmp_path), blob_url="s3://no-such-bucket/p", blob_options=server.options())
    with pytest.raises(StorageError, match="there is no bucket at s3://no-such-bucket/p; make it, or correct"):
        blob_store(config).put(b"content")


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("bucket", {}, "'bucket' is no address of a bucket; one looks like s3://bucket/prefix"),
        ("s3://", {}, "is no address of a bucket"),
        ("nonsense://bucket", {}, "nonsense://bucket cannot be used: Protocol not known"),
        ("s3://bucket", {"no_such_option_at_all": object}, "check c.EnvStoreApp.blob_options: .*no_such_option_at_all"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(
    tmp_path: Path, url: str, options: dict[str, object], said: str
) -> None:
    with pytest.raises((InvalidInputError, StorageError), match=said):
        blob_store(StoreConfig(str(tmp_path), blob_url=url, blob_options=options)).put(b"content")


def test_an_address_with_a_password_is_shown_without_it(tmp_path: Path) -> None:
    config = StoreConfig(str(tmp_path), blob_url="ftp://bob:sekrit@127.0.0.1:1/place")
    assert "sekrit" not in repr(config)
    with pytest.raises(StorageError) as caught:
        blob_store(config).put(b"content")
    assert "ftp://127.0.0.1:1/place" in str(caught.value)
    assert "sekrit" not in str(caught.value)


def test_a_configuration_shows_no_secret(server: ObjectStore, tmp_path: Path) -> None:
    config = StoreConfig(str(tmp_path), blob_url="s3://b/p", blob_options=server.options(), database_url="x:secret@y")
    assert SECRET not in repr(config)
    assert "secret" not in repr(config)
    assert SECRET not in repr(vars(blob_store(config))["bucket"]._config)


def test_who_writes_at_the_same_moment_as_another_asks_again(
    opened: Callable[..., ObjectBlobStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in answers once: no server at hand sends this status."""
    blobs = opened()
    files = blobs.bucket._files
    original = files.call_s3
    asked: list[str] = []

    def call(method: str, **given: Any) -> Any:
        asked.append(method)
        if len(asked) == 1:
            codes = {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}}
            raise OSError(16, "busy") from ClientError(codes, method)
        return original(method, **given)

    monkeypatch.setattr(files, "call_s3", call)
    assert blobs.claim("a-store") == "a-store"
    assert asked == ["put_object", "put_object"]
