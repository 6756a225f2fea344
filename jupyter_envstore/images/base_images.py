"""Base images: pulled from a registry, read from an OCI layout (a folder or an archive), or none at all."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Protocol

from jupyter_envstore.blobs.interface import BlobStore
from jupyter_envstore.engine.channels import redact
from jupyter_envstore.errors import EnvStoreError, ImageError, InvalidInputError
from jupyter_envstore.images.oci import INDEXES, LAYERS, MANIFESTS, Base, Layer, architecture
from jupyter_envstore.images.reference import DIGEST, SCRATCH, Reference, parse_image
from jupyter_envstore.images.registry_client import RegistryClient

PIECE = 1 << 20
MAX_TEXT = 4 << 20
WAY_OUT = (
    "set c.EnvStoreApp.docker_base_image to a mirror (docker://HOST/NAME:TAG), to an image in a folder (oci:DIR) or a "
    "file (oci-archive:FILE), or make one of this machine's own libraries: jupyter envstore base-image DIR"
)


class Source(Protocol):
    """Where the parts of an image are read from."""

    name: str
    """For messages."""
    label: str
    """For what is made of it."""

    def manifest(self, which: str = "") -> tuple[bytes, str, str]:
        """Return a manifest or an index: its bytes, its media type, its digest."""

    def blob(self, digest: str) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Open a blob."""


class RegistrySource:
    """An image in a registry."""

    def __init__(self, reference: Reference, plain_hosts: Collection[str]) -> None:
        self.name = self.label = str(reference)
        self.client = RegistryClient(reference, plain_hosts)
        self.manifest = self.client.manifest
        self.blob = self.client.blob


class LayoutSource:
    """An image in an OCI layout (OCI image specification, ``image-layout.md``): files that ``open_file`` opens."""

    def __init__(self, name: str, open_file: Callable[[str], IO[bytes]], tag: str = "") -> None:
        self.name = name
        self.label = name.partition(":")[0]
        self.open_file = open_file
        self.tag = tag

    def manifest(self, which: str = "") -> tuple[bytes, str, str]:
        """Return what the index names, with the tag where there is one; with ``which``, what has that digest.

        Raises
        ------
        ImageError
            The layout has no such image, or several and no tag is given; or it cannot be read.
        """
        if which:
            data = self._read(_blob_path(which))
            _check(data, which)
            return data, "", which
        try:
            entries = json.loads(self._read("index.json"))["manifests"]
        except (ValueError, KeyError, TypeError):
            msg = f"{self.name}: its index.json is not that of an OCI layout"
            raise ImageError(msg) from None
        named = [e for e in entries if e.get("annotations", {}).get("org.opencontainers.image.ref.name") == self.tag]
        found = named if self.tag else entries
        if not found:
            raise ImageError(f"{self.name} has no image" + (f" with the tag {self.tag}" if self.tag else ""))
        if len(found) > 1 and not _platforms(found):
            msg = f"{self.name} has {len(found)} images; name one of them by its tag"
            raise ImageError(msg)
        if len(found) > 1:
            return json.dumps({"manifests": found}).encode(), INDEXES[0], ""
        data, _, digest = self.manifest(str(found[0].get("digest", "")))
        return data, str(found[0].get("mediaType", "")), digest

    @contextlib.contextmanager
    def blob(self, digest: str) -> Iterator[IO[bytes]]:
        """Open a blob."""
        with self._open(_blob_path(digest)) as file:
            yield file

    def _open(self, path: str) -> IO[bytes]:
        try:
            return self.open_file(path)
        except (OSError, KeyError) as error:
            msg = f"{self.name}: {path} cannot be read: {redact(str(error))}"
            raise ImageError(msg) from None

    def _read(self, path: str) -> bytes:
        with self._open(path) as file:
            return file.read(MAX_TEXT)


@contextlib.contextmanager
def open_source(text: str, plain_hosts: Collection[str] = ()) -> Iterator[Source]:
    """Open what ``docker://…``, ``oci:DIR[:TAG]`` or ``oci-archive:FILE[:TAG]`` names.

    Raises
    ------
    InvalidInputError, ImageError
        It names nothing of these; or it cannot be read.
    """
    kind, _, rest = text.partition(":")
    if kind == "docker" and rest.startswith("//"):
        yield RegistrySource(parse_image(rest[2:]), plain_hosts)
    elif kind in ("oci", "oci-archive") and rest:
        place, tag = _with_tag(rest)
        if kind == "oci":
            yield LayoutSource(text, lambda path: (place / path).open("rb"), tag)
            return
        try:
            archive = tarfile.open(place)  # noqa: SIM115 - closed below
        except (OSError, tarfile.TarError) as error:
            msg = f"{text} cannot be read: {error}"
            raise ImageError(msg) from None
        with archive:

            def member(path: str) -> IO[bytes]:
                for name in (path, f"./{path}"):
                    with contextlib.suppress(KeyError):
                        found = archive.extractfile(name)
                        if found is not None:
                            return found
                raise KeyError(path)

            yield LayoutSource(text, member, tag)
    else:
        msg = f"base image {text[:120]!r} is not valid; write docker://NAME:TAG, oci:DIR, oci-archive:FILE or scratch"
        raise InvalidInputError(msg)


def fetch_base(
    text: str,
    platform: str,
    blobs: BlobStore,
    keep: Callable[[Layer], None],
    cache: Path,
    plain_hosts: Collection[str] = (),
) -> Base:
    """Return the base that a reference names, its layers in ``blobs``.

    What was fetched before is found by its digest; a reference by digest asks nobody then.

    Parameters
    ----------
    keep : callable
        Told of each layer that the image needs, once it is there.
    cache : Path
        Folder of manifests and configurations by digest.
    plain_hosts : collection of str
        Registries that speak plain HTTP.

    Raises
    ------
    ImageError, InvalidInputError
        The base cannot be had; the message tells why, and the ways out.
    """
    if text == SCRATCH:
        return Base(SCRATCH)
    try:
        pinned = text.rpartition("@")[2] if DIGEST.fullmatch(text.rpartition("@")[2]) else ""
        known = _known(cache, pinned, platform, blobs, keep) if pinned else None
        if known is not None:
            return known
        with open_source(text, plain_hosts) as source:
            return _fetch(source, platform, blobs, keep, cache)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        msg = f"base image {text}: its manifest is not one of an image ({type(error).__name__}: {error}); {WAY_OUT}"
        raise ImageError(msg) from None
    except OSError as error:
        msg = f"base image {text}: {error.strerror or error}; {WAY_OUT}"
        raise ImageError(msg) from None
    except EnvStoreError as error:
        msg = f"base image {text}: {error}; {WAY_OUT}"
        raise ImageError(msg) from None


def _fetch(source: Source, platform: str, blobs: BlobStore, keep: Callable[[Layer], None], cache: Path) -> Base:
    data, media_type, digest = source.manifest()
    pinned = digest
    value = _json(data, source)
    for _ in range(2):  # an index may stand in an index
        if "manifests" not in value:
            break
        digest = _of_platform(value["manifests"], platform, source)
        data, media_type, digest = source.manifest(digest)
        value = _json(data, source)
    name = f"{source.label.rpartition('@')[0] or source.label}@{pinned or digest}"
    known = _known(cache, digest, platform, blobs, keep)
    if known is not None:
        return replace(known, name=name)
    kind = media_type or str(value.get("mediaType", MANIFESTS[0]))
    if kind not in MANIFESTS or "layers" not in value:
        msg = f"it is a {kind or 'text'}, not an image of today; pull and push it with a current client first"
        raise ImageError(msg)
    with source.blob(value["config"]["digest"]) as file:
        config_data = file.read(MAX_TEXT)
    _check(config_data, value["config"]["digest"])
    config = _json(config_data, source)
    diff_ids = config.get("rootfs", {}).get("diff_ids", [])
    if len(diff_ids) != len(value["layers"]):
        msg = "its manifest and its configuration do not fit each other"
        raise ImageError(msg)
    layers = []
    for entry, diff_id in zip(value["layers"], diff_ids, strict=True):
        if entry.get("mediaType") not in LAYERS:
            msg = f"it has a layer of the kind {entry.get('mediaType')}, which is not known"
            raise ImageError(msg)
        layer = Layer(_hex(entry["digest"]), int(entry["size"]), _hex(diff_id), LAYERS[entry["mediaType"]])
        _fetch_layer(source, layer, blobs)
        keep(layer)
        layers.append(layer)
    base = Base(name, tuple(layers), config.get("config") or {}, tuple(config.get("history") or ()))
    for each in {pinned, digest} - {""}:
        _remember(cache, each, platform, base)
    return base


def _known(cache: Path, digest: str, platform: str, blobs: BlobStore, keep: Callable[[Layer], None]) -> Base | None:
    """Return a base that was fetched before, its layers kept; None where something of it is gone."""
    known = _cached(cache, digest, platform)
    if known is None or not all(blobs.exists(layer.digest) for layer in known.layers):
        return None
    for layer in known.layers:
        keep(layer)
    return known


def _fetch_layer(source: Source, layer: Layer, blobs: BlobStore) -> None:
    """Have a layer in ``blobs``, and check that what it unpacks to is what the configuration says."""
    from zstandard import ZstdError

    if not blobs.exists(layer.digest) or blobs.size(layer.digest) != layer.size:
        _download_layer(source, layer, blobs)
    try:
        with blobs.open(layer.digest) as file:
            found = plain_digest(file, layer.media_type)
    except (zlib.error, gzip.BadGzipFile, EOFError, ZstdError) as error:
        msg = f"layer sha256:{layer.digest} cannot be unpacked: {error}"
        raise ImageError(msg) from None
    if found != layer.diff_id:
        msg = f"layer sha256:{layer.digest} unpacks to sha256:{found}, its configuration says sha256:{layer.diff_id}"
        raise ImageError(msg)


def plain_digest(file: IO[bytes], media_type: str) -> str:
    """Return the SHA-256 of what a layer unpacks to, its ``diff_id`` (OCI image specification, ``config.md``)."""
    if media_type.endswith("gzip"):
        from isal import igzip

        plain: Any = igzip.GzipFile(fileobj=file, mode="rb")
    elif media_type.endswith("zstd"):
        from zstandard import ZstdDecompressor

        plain = ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=False)
    else:
        plain = file
    digest = hashlib.sha256()
    while data := plain.read(PIECE):
        digest.update(data)
    return digest.hexdigest()


def _download_layer(source: Source, layer: Layer, blobs: BlobStore) -> None:
    with source.blob(f"sha256:{layer.digest}") as file, blobs.create(layer.digest) as writer:
        while data := file.read(PIECE):
            writer.write(data)
            if writer.size > layer.size:
                msg = f"layer sha256:{layer.digest} is larger than its manifest says"
                raise ImageError(msg)


def _of_platform(entries: list[dict[str, Any]], platform: str, source: Source) -> str:
    wanted = architecture(platform)
    there = _platforms(entries)
    for entry in entries:
        found = entry.get("platform", {})
        if found.get("os") == "linux" and found.get("architecture") == wanted:
            return str(entry["digest"])
    msg = f"it is not there for linux/{wanted}, only for {', '.join(there) or 'nothing that is named'}"
    raise ImageError(msg)


def _platforms(entries: list[dict[str, Any]]) -> list[str]:
    return [f"{e['platform'].get('os')}/{e['platform'].get('architecture')}" for e in entries if e.get("platform")]


def _check(data: bytes, digest: str) -> None:
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if found != digest:
        msg = f"what should be {digest} is {found}: it was changed, or is damaged"
        raise ImageError(msg)


def _with_tag(text: str) -> tuple[Path, str]:
    """Split ``PATH[:TAG]``; a path that is there with its colons is a path."""
    if Path(text).exists() or ":" not in text:
        return Path(text).expanduser(), ""
    path, _, tag = text.rpartition(":")
    return Path(path).expanduser(), tag


def _blob_path(digest: str) -> str:
    return f"blobs/sha256/{_hex(digest)}"


def _hex(digest: object) -> str:
    if not DIGEST.fullmatch(str(digest)):
        msg = f"{str(digest)[:80]!r} is no digest"
        raise ImageError(msg)
    return str(digest).removeprefix("sha256:")


def _json(data: bytes, source: Source) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        msg = f"{source.name}: what should be JSON is not"
        raise ImageError(msg)
    return value


def _remember(cache: Path, digest: str, platform: str, base: Base) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{_hex(digest)}-{platform}.json"
    fresh = path.with_name(f".{path.name}.new")
    layers = [[layer.digest, layer.size, layer.diff_id, layer.media_type] for layer in base.layers]
    value = {
        "name": base.name,
        "layers": layers,
        "config": dict(base.config),
        "history": [dict(h) for h in base.history],
    }
    fresh.write_text(json.dumps(value), encoding="utf-8")
    fresh.replace(path)


def _cached(cache: Path, digest: str, platform: str) -> Base | None:
    try:
        value = json.loads((cache / f"{_hex(digest)}-{platform}.json").read_text(encoding="utf-8"))
        layers = tuple(Layer(*entry) for entry in value["layers"])
        return Base(value["name"], layers, value["config"], tuple(value["history"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
