"""A client of registries: what pulls bases and pushes images (distribution specification of the OCI, 1.1)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import ipaddress
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple
from urllib.parse import urlencode, urljoin, urlsplit

from jupyter_envstore.errors import ImageError, RegistryUnreachableError
from jupyter_envstore.images.oci import INDEX, INDEXES, MANIFESTS
from jupyter_envstore.images.reference import HUB, Reference

TIMEOUT = 30.0
PIECE = 1 << 20
MOST_PAGES = 50
NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
"""The next page, in the header ``Link``."""
MAX_MANIFEST = 4 << 20
"""The distribution specification asks registries to take manifests of 4 MiB at least; larger ones are refused."""


Report = Callable[[str, int, bool], None]
"""Told of each part: its digest, its bytes, whether it was sent or is there already."""


class Part(NamedTuple):
    """A part of what is pushed: its SHA-256 in hexadecimal, its bytes, and what opens it."""

    digest: str
    size: int
    open: Callable[[], BinaryIO]


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Lets the client follow redirects itself: the Authorization header must not go to another host."""

    def redirect_request(self, *_: Any) -> None:
        return None


class RegistryClient:
    """Talks to the registry of one reference: anonymously, with Basic, or with a bearer token that it fetches.

    Parameters
    ----------
    plain_hosts : collection of str
        Hosts, with their ports, that speak plain HTTP; this machine's own always do, as Docker takes it too.
    writes : bool
        Whether something is pushed. Then it asks for the right to do that from the start: registries with tokens give
        no right to pull from a repository that is not there yet.
    """

    def __init__(self, reference: Reference, plain_hosts: Collection[str] = (), writes: bool = False) -> None:
        self.reference = reference
        self._reading = "pull,push" if writes else "pull"
        host = reference.address
        scheme = "http" if host in plain_hosts or is_local(host) else "https"
        self.base = f"{scheme}://{host}/v2/"
        self._authorization = ""
        self._opener = urllib.request.build_opener(
            _NoRedirect, urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=_certificates()))
        )

    # -- pulling -----------------------------------------------------------------------------------------------------

    def manifest(self, which: str = "", prefer: str = "") -> tuple[bytes, str, str]:
        """Return a manifest or an index: its bytes, its media type, its digest.

        Parameters
        ----------
        which : str
            Tag or digest; that of the reference where it is empty.
        prefer : str
            A type of artifacts that is taken rather than an image, where a registry has both under one tag.

        Raises
        ------
        MissingError
            The registry has no such image.
        RegistryUnreachableError, ImageError
            The registry does not answer; or what it sends is not it.
        """
        wanted = which or self.reference.which
        headers = {"Accept": ", ".join((*([prefer] if prefer else []), *MANIFESTS, *INDEXES))}
        with self._ask("GET", f"{self.reference.name}/manifests/{wanted}", headers, self._reading) as answer:
            data = answer.read(MAX_MANIFEST + 1)
            media_type = str(answer.headers.get("Content-Type", "")).partition(";")[0].strip()
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if len(data) > MAX_MANIFEST:
            msg = f"the manifest of {self.reference} has more than {MAX_MANIFEST} bytes"
            raise ImageError(msg)
        if wanted.startswith("sha256:") and digest != wanted:
            msg = f"{self.reference}: the registry sent a manifest that is {digest}, not {wanted}"
            raise ImageError(msg)
        return data, media_type, digest

    @contextlib.contextmanager
    def blob(self, digest: str) -> Iterator[IO[bytes]]:
        """Open a blob; whoever reads it checks its digest."""
        with self._ask("GET", f"{self.reference.name}/blobs/{digest}", {}, "pull") as answer:
            yield answer

    def referrers(self, digest: str, artifact_type: str) -> list[bytes]:
        """Return the pages of the index of what refers to a manifest (distribution specification, "listing referrers").

        A registry that does not know referrers has the index under a tag, which clients write ("referrers tag schema").
        The index is empty where there is none.

        Raises
        ------
        RegistryUnreachableError, ImageError
            The registry does not answer, or refuses.
        """
        place = f"{self.reference.name}/referrers/{digest}?{urlencode({'artifactType': artifact_type})}"
        pages: list[bytes] = []
        try:
            while place and len(pages) < MOST_PAGES:
                with self._ask("GET", place, {"Accept": INDEX}, self._reading) as answer:
                    if str(answer.headers.get("Content-Type", "")).partition(";")[0].strip() != INDEX:
                        break
                    pages.append(bytes(answer.read(MAX_MANIFEST)))
                    following = NEXT.search(answer.headers.get("Link", ""))
                    place = following[1] if following else ""
        except MissingError:
            pass
        return pages or [self.tagged_referrers(digest)]

    def tagged_referrers(self, digest: str) -> bytes:
        """Return the index of referrers that clients wrote under a tag; empty where there is none."""
        try:
            return self.manifest(referrers_tag(digest))[0]
        except MissingError:
            return b""

    # -- pushing -----------------------------------------------------------------------------------------------------

    def has_blob(self, digest: str) -> bool:
        """Whether the registry has a blob in this repository."""
        try:
            with self._ask("HEAD", f"{self.reference.name}/blobs/{digest}", {}, "pull,push"):
                return True
        except MissingError:
            return False

    def push_missing(self, parts: Iterable[Part], report: Report) -> int:
        """Send the parts that the registry does not have in this repository; return how many bytes were sent."""
        sent = 0
        for part in parts:
            name = f"sha256:{part.digest}"
            there = self.has_blob(name)
            if not there:
                self.push_blob(part)
                sent += part.size
            report(name, part.size, not there)
        return sent

    def push_blob(self, part: Part) -> None:
        """Send a part as a blob, in one request behind the one that opens the upload."""
        with self._ask("POST", f"{self.reference.name}/blobs/uploads/", {"Content-Length": "0"}, "pull,push") as answer:
            location = urljoin(self.base, answer.headers.get("Location", ""))
        joined = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': f'sha256:{part.digest}'})}"
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(part.size)}
        with part.open() as file, self._ask("PUT", joined, headers, "pull,push", file):
            pass

    def push_manifest(self, data: bytes, media_type: str, which: str = "") -> bool:
        """Send a manifest under a tag or its digest, else under the tag of the reference.

        Returns
        -------
        bool
            Whether the registry noted what the manifest refers to (``OCI-Subject``).
        """
        place = f"{self.reference.name}/manifests/{which or self.reference.which}"
        headers = {"Content-Type": media_type, "Content-Length": str(len(data))}
        with self._ask("PUT", place, headers, "pull,push", data) as answer:
            return bool(answer.headers.get("OCI-Subject"))

    # -- requests ----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _ask(
        self, method: str, below: str, headers: Mapping[str, str], scope: str, body: bytes | IO[bytes] | None = None
    ) -> Iterator[Any]:
        address = urljoin(self.base, below)
        for attempt in range(2):
            try:
                answer = self._open(method, address, dict(headers), body)
            except urllib.error.HTTPError as error:
                with error:
                    asked = error.code == 401 and not attempt and self._is_own(error.geturl() or address)
                    if asked and self._log_in(error.headers, scope):
                        if body is not None and not isinstance(body, bytes):
                            body.seek(0)
                        continue
                    raise self._refusal(error) from None
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                reason = getattr(error, "reason", error)
                msg = f"registry {self.reference.host} cannot be reached: {reason}"
                if isinstance(reason, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(reason):
                    msg += "; if it speaks plain HTTP, name it in c.EnvStoreApp.docker_insecure_registries"
                raise RegistryUnreachableError(msg) from None
            with answer:
                try:
                    yield answer
                except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
                    msg = f"registry {self.reference.host} stopped in the middle of an answer: {error}"
                    raise RegistryUnreachableError(msg) from None
            return

    def _open(self, method: str, address: str, headers: dict[str, str], body: bytes | IO[bytes] | None) -> Any:
        for _ in range(5):
            request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - http(s) alone, see below
            if urlsplit(address).scheme not in ("http", "https"):
                msg = f"registry {self.reference.host} leads to {address[:80]!r}, which is no web address"
                raise ImageError(msg)
            if self._authorization and self._is_own(address):
                request.add_unredirected_header("Authorization", self._authorization)
            try:
                return self._opener.open(request, timeout=TIMEOUT)
            except urllib.error.HTTPError as error:
                place = error.headers.get("Location")
                if error.code not in (301, 302, 303, 307, 308) or not place:
                    raise
                error.close()
                address = urljoin(address, place)
                if body is not None and not isinstance(body, bytes):
                    body.seek(0)
        msg = f"registry {self.reference.host} leads from one address to the next without an end"
        raise ImageError(msg)

    def _is_own(self, address: str) -> bool:
        """Whether an address is the registry's: it alone is told the login, and its challenges alone are answered."""
        return urlsplit(address)[:2] == urlsplit(self.base)[:2]

    def _log_in(self, headers: Any, scope: str) -> bool:
        """Do what a challenge asks for (RFC 9110, 11.6.1); whether that is worth another try."""
        challenge = headers.get("WWW-Authenticate", "")
        scheme, _, rest = challenge.partition(" ")
        login = credentials(self.reference.host)
        if scheme.lower() == "basic" and login:
            self._authorization = f"Basic {login}"
            return True
        if scheme.lower() != "bearer":
            return False
        fields = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        realm = urlsplit(fields.get("realm", ""))
        if realm.scheme != "https" and not (realm.scheme == "http" and self.base.startswith("http:")):
            return False  # a password must not travel in the clear where the registry does not
        query = {"service": fields.get("service", ""), "scope": f"repository:{self.reference.name}:{scope}"}
        address = f"{fields['realm']}{'&' if realm.query else '?'}{urlencode({k: v for k, v in query.items() if v})}"
        request = urllib.request.Request(address)  # noqa: S310 - checked above
        if login:
            request.add_unredirected_header("Authorization", f"Basic {login}")
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                found = json.loads(answer.read(MAX_MANIFEST))
                self._authorization = f"Bearer {found.get('token') or found['access_token']}"
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            msg = f"{realm.netloc}, which registry {self.reference.host} gives tokens at, cannot be reached: {reason}"
            raise RegistryUnreachableError(msg) from None
        except (KeyError, ValueError, AttributeError):
            return False
        return True

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        """Return the registry's refusal in words."""
        try:
            first = json.loads(error.read(65_536))["errors"][0]
            reason = f"{first.get('code', '')} {first.get('message', '')}".strip()
        except (ValueError, KeyError, IndexError, TypeError, OSError, AttributeError):
            reason = str(error.reason)
        if error.code in (401, 403):
            way = f"; log in with: docker login {self.reference.host}"
            return ImageError(f"registry {self.reference.host} refuses {self.reference}: {reason}{way}")
        if error.code == 404:
            return MissingError(f"registry {self.reference.host} has no {self.reference}: {reason}")
        if error.code >= 500 or error.code == 429:
            return RegistryUnreachableError(f"registry {self.reference.host} cannot answer now: {error.code} {reason}")
        return ImageError(f"registry {self.reference.host} refuses {self.reference}: {error.code} {reason}")


class MissingError(ImageError):
    """The registry says that there is no such thing."""


def referrers_tag(digest: str) -> str:
    """Return the tag of the index of referrers, where a registry does not know referrers."""
    return digest.replace(":", "-", 1)


def credentials(host: str) -> str:
    """Return what ``docker login`` or ``podman login`` noted for a host, as Basic wants it; empty where nothing is.

    Read from ``REGISTRY_AUTH_FILE``, ``DOCKER_CONFIG``, ``~/.docker/config.json`` and podman's ``auth.json``; helpers
    that keep passwords elsewhere are not run.
    """
    home = Path.home()
    files = [
        os.environ.get("REGISTRY_AUTH_FILE", ""),
        str(Path(os.environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"),
        f"{os.environ.get('XDG_RUNTIME_DIR', '')}/containers/auth.json",
        str(home / ".config" / "containers" / "auth.json"),
    ]
    names = [host, f"https://{host}", f"https://{host}/v1/", f"https://{host}/v2/"]
    if host == HUB:
        names += ["https://index.docker.io/v1/", "index.docker.io"]
    for file in files:
        try:
            known = json.loads(Path(file).read_text(encoding="utf-8"))["auths"] if file else {}
        except (OSError, ValueError, KeyError, TypeError):
            continue
        for name in names:
            entry = known.get(name) if isinstance(known, dict) else None
            if isinstance(entry, dict) and entry.get("auth"):
                return str(entry["auth"])
            if isinstance(entry, dict) and entry.get("username"):
                pair = f"{entry['username']}:{entry.get('password', '')}"
                return base64.b64encode(pair.encode()).decode()
    return ""


def is_local(host: str) -> bool:
    """Whether a host is this machine, where registries speak plain HTTP."""
    name = re.sub(r":\d+$", "", host).strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _certificates() -> str | None:
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or None
