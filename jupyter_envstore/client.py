"""Talk to an environment store from a notebook or script. One file, standard library only; copy it where you like.

In a kernel that the server started, address and token are there already::

    import envstore_client
    envstore_client.download("team/data", "archive")
    envstore_client.EnvStore().environments()

Elsewhere: ``envstore_client.EnvStore("https://host/envstore", token)``.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK = 1 << 20
LARGEST = 256 << 20
"""Bytes of an answer in JSON; listings of a hundred thousand environments are smaller."""
LARGEST_RECORD = 16 << 20
"""Bytes of an answer with a build record."""
LONGEST_REFUSAL = 64 << 10
IMAGE = "docker"
UNSETTLED = ("QUEUED", "BUILDING")
"""What the status of a build is until it has ended."""


class EnvStoreClientError(Exception):
    """The server refused, or cannot be reached; ``status`` is its HTTP status, 0 where there was no answer."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class EnvStore:
    """A store of environments, behind HTTP.

    Parameters
    ----------
    url : str or None
        Address that ends in ``/envstore``; default ``ENVSTORE_URL``.
    token : str or None
        Token; default ``ENVSTORE_TOKEN``.
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, url: str | None = None, token: str | None = None, timeout: float = 60.0) -> None:
        self.url = (url or os.environ.get("ENVSTORE_URL", "")).rstrip("/")
        self._token = token or os.environ.get("ENVSTORE_TOKEN", "")
        self.timeout = timeout
        if not self.url.startswith(("http://", "https://")):
            msg = "no address: give url, or set ENVSTORE_URL"
            raise EnvStoreClientError(msg)

    def __repr__(self) -> str:
        return f"EnvStore({self.url!r})"

    def environments(self, search: str = "", namespace: str = "") -> list[dict[str, Any]]:
        """Return the environments that the token may see, as dictionaries."""
        return self._json("environment/", {"search": search, "namespace": namespace})["data"]

    def environment(self, name: str) -> dict[str, Any]:
        """Return one environment; ``name`` is ``namespace/name``."""
        return self._json(f"environment/{_place(name)}/")["data"]

    def builds(self, name: str) -> list[dict[str, Any]]:
        """Return the newest builds of an environment, the newest first."""
        query = {"environment_id": self.environment(name)["id"], "order": "desc"}
        return self._json("build/", query)["data"]

    def artifacts(self, name: str, build: int | None = None) -> list[dict[str, Any]]:
        """Return what is or can be made of a build, with states; ``build`` is an id, default the active one."""
        return self._json(f"build/{self._build(name, build)}/artifacts/")["data"]

    def packages(self, name: str, build: int | None = None) -> list[tuple[str, str, str]]:
        """Return the packages of a build as ``(name, version, build)``."""
        found: list[tuple[str, str, str]] = []
        page, number = 1, self._build(name, build)
        while True:
            answer = self._json(f"build/{number}/packages/", {"page": page})
            found += [(p["name"], p["version"], p["build"]) for p in answer["data"]]
            if len(found) >= answer["count"] or not answer["data"]:
                return found
            page += 1

    def bond(self, name: str, build: int | None = None, lock: bool = False) -> dict[str, Any]:
        """Return what a notebook that runs in an environment remembers of it; with ``lock``, its whole build record."""
        query = {"lock": "1"} if lock else None
        return self._json(f"build/{self._build(name, build)}/bond/", query)["data"]

    def recorded(self, record: str, lock: bool = False) -> dict[str, Any]:
        """Return the builds with a build record, by its SHA-256; with ``lock``, the record as notebooks hold it."""
        path = f"record/{urllib.parse.quote(record, safe='')}/"
        return self._json(path, {"lock": "1"} if lock else None, largest=LARGEST_RECORD)["data"]

    def permissions(self) -> dict[str, Any]:
        """Return who one is in the store, and what one may do there."""
        return self._json("permission/", largest=LARGEST_RECORD)["data"]

    def shared(self, lock: bool = False) -> dict[str, Any]:
        """Return the environment of a share link, whose token this is: names, files, its build record with ``lock``."""
        return self._json("shared/", {"lock": "1"} if lock else None)["data"]

    def text(self, name: str, artifact: str = "yaml", build: int | None = None) -> str:
        """Return a text artifact.

        That is ``yaml``, ``lockfile``, ``explicit``, ``pylock``, ``requirements``, ``sbom``, ``logs``, or one that
        another package makes.
        """
        with self._open(f"build/{self._build(name, build)}/{_path(artifact)}") as answer:
            return answer.read().decode()

    def build(
        self,
        specification: str,
        namespace: str | None = None,
        name: str | None = None,
        wait: bool = True,
        timeout: float = 3600.0,
        show: bool = True,
    ) -> dict[str, Any]:
        """Build a specification; the token must give ``environment:create``, as a kernel's does where its user may.

        Parameters
        ----------
        specification : str
            Text of an ``environment.yml`` or a lockfile.
        namespace, name : str or None
            Where it shall stand; default the token's primary namespace, and the name in the text.
        wait : bool
            Return when the build has ended; else at once.
        timeout : float
            Seconds to wait.
        show : bool
            Print the steps while waiting.

        Returns
        -------
        dict
            The build as the API shows it; ``id``, ``number``, ``status``, ``status_info``.

        Raises
        ------
        EnvStoreClientError
            The server refused, the build failed, or it did not end in time.
        """
        body = {"specification": specification, "namespace": namespace, "environment_name": name}
        number = self._json("specification/", body=body)["data"]["build_id"]
        end, said = time.monotonic() + timeout, ""
        while wait:
            progress = self._json(f"build/{number}/progress/")["data"]
            if show:
                said = _show(progress, said)
            if progress["status"] not in UNSETTLED:
                if progress["status"] != "COMPLETED":
                    msg = f"build {progress['number']} {progress['status'].lower()}: {progress['reason']}"
                    raise EnvStoreClientError(msg, 409)
                break
            if time.monotonic() > end:
                msg = f"build {progress['number']} has not ended after {timeout:g} s; it goes on"
                raise EnvStoreClientError(msg, 409)
            time.sleep(0.3)
        return self._json(f"build/{number}/")["data"]

    def image(self, name: str, build: int | None = None) -> str:
        """Return the address of a build's Docker image, for ``docker run``; ``build`` is an id."""
        return self.text(name, "docker", build).strip()

    def download(
        self,
        name: str,
        artifact: str = "archive",
        path: str | None = None,
        build: int | None = None,
        wait: float = 600.0,
        progress: Callable[[int, int], None] | None = None,
        overwrite: bool = False,
    ) -> str:
        """Write an artifact to a file, check it, and return its path.

        Parameters
        ----------
        name : str
            ``namespace/name``.
        artifact : str
            ``yaml``, ``lockfile``, ``explicit``, ``archive``, ``docker``, ``installer``, ``pixi``, ``pylock``,
            ``requirements``, ``sbom``, or one that another package makes. A Docker image becomes one file, for
            ``docker load``. Its length is checked; the SHA-256 of all other artifacts is checked, too.
        path : str or None
            File, or folder that ends in ``/``; default the file's own name, here.
        build : int or None
            Id of a build; default the active one.
        wait : float
            Seconds to wait for an artifact that is being made.
        progress : callable or None
            Called with bytes written and bytes in all.
        overwrite : bool
            Write over another file of the artifact's own name, and over a Docker image that is there; a file that
            ``path`` names is always written.

        Raises
        ------
        EnvStoreClientError
            The build has no such artifact, or it is not ready in time; another file of its name is there; or what
            arrived is damaged.
        """
        number = self._build(name, build)
        made = self._ready(number, artifact, wait)
        sha256 = None if artifact == IMAGE else made["sha256"]  # of an image it is that of its manifest
        target = os.fspath(path or made["file_name"])
        if os.path.isdir(target) or target.endswith("/"):
            os.makedirs(target, exist_ok=True)
            target = os.path.join(target, made["file_name"])
            path = None
        if path is None and not overwrite and os.path.exists(target) and not (sha256 and _sha256(target) == sha256):
            other = ", and is another file" if sha256 else ""
            msg = f"{target} is there already{other}; give path, or overwrite=True"
            raise EnvStoreClientError(msg)
        partial = f"{target}.partial"
        digest = hashlib.sha256()
        try:
            query = {"download": "true"} if artifact == IMAGE else None
            with self._open(f"build/{number}/{_path(artifact)}", query) as answer, open(partial, "wb") as file:
                done, total = 0, int(answer.headers.get("Content-Length") or 0)
                for chunk in iter(lambda: answer.read(CHUNK), b""):
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    if progress:
                        progress(done, total)
            if done < total:
                msg = f"{target}: only {done:,} of {total:,} bytes arrived; try again"
                raise EnvStoreClientError(msg)
            if sha256 is not None and digest.hexdigest() != sha256:
                msg = f"{target}: what arrived is not what was sent (SHA-256 differs); try again"
                raise EnvStoreClientError(msg)
            os.replace(partial, target)
        finally:
            if os.path.exists(partial):
                os.unlink(partial)
        return target

    def _ready(self, number: int, artifact: str, wait: float) -> dict[str, Any]:
        end, asked = time.monotonic() + wait, False
        while True:
            listed = self._json(f"build/{number}/artifacts/")["data"]
            found = [item for item in listed if item["type"] == artifact and not item["variant"]]
            if found and found[0]["state"] in ("absent", "dropped"):  # whoever may change the environment has it made
                if asked:
                    msg = f"the {artifact} of build {number} is not made, though it was asked for"
                    raise EnvStoreClientError(msg, 409)
                asked = True
                try:
                    self._json(f"build/{number}/artifacts/{urllib.parse.quote(artifact, safe='')}/", body={})
                except EnvStoreClientError as error:
                    msg = f"build {number} has no {artifact} yet, and this token may not have it made: {error}"
                    raise EnvStoreClientError(msg, error.status, error.code) from None
                continue
            if not found:
                status = self._json(f"build/{number}/")["data"]["status"]
                known = ", ".join(sorted({item["type"] for item in listed}))
                msg = f"build {number} ({status}) has no {artifact}; it has: {known or 'none'}"
                raise EnvStoreClientError(msg, 404)
            if found[0]["state"] == "ready":
                return found[0]
            if found[0]["state"] == "failed":
                msg = f"the {artifact} of build {number} could not be made: {found[0]['reason']}"
                raise EnvStoreClientError(msg, 409)
            if time.monotonic() > end:
                msg = f"the {artifact} of build {number} is not ready after {wait:g} s"
                raise EnvStoreClientError(msg, 409)
            time.sleep(1)

    def _build(self, name: str, build: int | None) -> int:
        if build is not None:
            return int(build)
        found = self.environment(name)["current_build_id"]
        if found is None:
            msg = f"{name} has no build yet"
            raise EnvStoreClientError(msg, 404)
        return found

    def _json(
        self,
        path: str,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        largest: int = LARGEST,
    ) -> dict[str, Any]:
        with self._open(path, query, body, _OneServer) as answer:
            try:
                text = answer.read(largest + 1)
                found: dict[str, Any] = json.loads(text) if len(text) <= largest else {}
            except (ValueError, RecursionError):
                found = {}
            except (OSError, http.client.HTTPException) as error:
                msg = f"{self.url} cannot be reached: {error or type(error).__name__}"
                raise EnvStoreClientError(msg) from None
        if not isinstance(found, dict) or "data" not in found:
            msg = f"{self.url} does not answer like a store of environments; check the address"
            raise EnvStoreClientError(msg, 502)
        return found

    def _open(
        self,
        path: str,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        redirects: type[urllib.request.HTTPRedirectHandler] | None = None,
    ) -> Any:
        query = {key: value for key, value in (query or {}).items() if value != ""}
        url = f"{self.url}/api/v1/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            opener = _opener(self.url, redirects or _SameHost)
            return opener.open(urllib.request.Request(url, data, headers), timeout=self.timeout)
        except urllib.error.HTTPError as error:
            message, code = _refusal(error)
            raise EnvStoreClientError(message, error.code, code) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            msg = f"{self.url} cannot be reached: {getattr(error, 'reason', None) or error or type(error).__name__}"
            raise EnvStoreClientError(msg) from None


def _refusal(error: urllib.error.HTTPError) -> tuple[str, str]:
    """Return message and code of a refusal."""
    try:
        found = json.loads(error.read(LONGEST_REFUSAL))
        if isinstance(found, dict) and found.get("message"):
            return str(found["message"]), str(found.get("code") or "")
    except (OSError, ValueError, RecursionError, http.client.HTTPException):
        pass
    return f"{error.code} {error.reason}", ""


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect without the token where it leads to another host: that is a login page, or worse."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Return the request that follows."""
        follow = super().redirect_request(req, fp, code, msg, headers, newurl)
        before, after = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if follow is not None and (before.scheme, before.netloc) != (after.scheme, after.netloc):
            follow.remove_header("Authorization")
        return follow


class _OneServer(urllib.request.HTTPRedirectHandler):
    """Follows redirects within one server alone: what is asked of a store is not asked of others."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Return the request that follows."""
        before, after = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc):
            place = f"{after.scheme}://{after.netloc}"
            fault = f"it leads to {place}; use the address there"
            raise urllib.error.URLError(fault)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str, redirects: type[urllib.request.HTTPRedirectHandler]) -> urllib.request.OpenerDirector:
    """Return what opens addresses of a server: this machine is not asked through a proxy, which would see the token."""
    host = urllib.parse.urlsplit(url).hostname or ""
    is_here = host in ("localhost", "::1") or host.startswith("127.")
    handlers: list[Any] = [redirects, *([urllib.request.ProxyHandler({})] if is_here else [])]
    return urllib.request.build_opener(*handlers)


def _show(progress: dict[str, Any], said: str) -> str:
    """Print the step that runs, over the line before; return what was printed."""
    steps = progress["steps"]
    line = progress["status"].capitalize()
    if steps and progress["status"] == "BUILDING":
        last = steps[-1]
        part = f" {100 * last['done'] // last['total']} %" if last["total"] else ""
        line = f"{last['name']}{part}"
    if progress["duration"] is not None:
        line += f" after {progress['duration']:.1f} s"
    if line != said:
        ended = progress["status"] not in UNSETTLED
        print(f"\r{line:<60}", end="\n" if ended else "", flush=True)
    return line


def _place(name: str) -> str:
    namespace, slash, rest = name.partition("/")
    if not slash or not namespace or not rest:
        msg = f"{name!r} does not name an environment: write namespace/name"
        raise EnvStoreClientError(msg)
    return f"{urllib.parse.quote(namespace, safe='')}/{urllib.parse.quote(rest, safe='')}"


def _sha256(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            digest.update(chunk)
    return digest.hexdigest()


def _path(artifact: str) -> str:
    """Return where an artifact is read, below ``build/ID/``; of a Docker image, its address."""
    return f"{artifact}/" if artifact in ("logs", IMAGE) else f"artifacts/{urllib.parse.quote(artifact, safe='')}/file/"


def environments(search: str = "", namespace: str = "") -> list[dict[str, Any]]:
    """Return the environments of the store that started this kernel."""
    return EnvStore().environments(search, namespace)


def download(name: str, artifact: str = "archive", path: str | None = None, **options: Any) -> str:
    """Download an artifact from the store that started this kernel; see :meth:`EnvStore.download`."""
    return EnvStore().download(name, artifact, path, **options)


def text(name: str, artifact: str = "yaml", build: int | None = None) -> str:
    """Return a text artifact from the store that started this kernel."""
    return EnvStore().text(name, artifact, build)
