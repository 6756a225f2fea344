"""Channels: names to addresses, the clients that read them, credentials from conda's usual places."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

from jupyter_envstore.errors import ChannelError, ChannelUnreachableError
from jupyter_envstore.spec.addresses import SECRET_IN_URL, strike_out

if TYPE_CHECKING:
    import rattler

    from jupyter_envstore.policy.setting_values import SettingValues


@dataclass(frozen=True)
class ChannelPolicy:
    """How channel names become addresses.

    Parameters
    ----------
    alias : str
        Address that a plain name is appended to; empty for conda's own.
    defaults : str
        What ``defaults`` stands for; that channel's own name resolves to nothing that exists.
    default_channels : tuple of str
        Channels of a specification that lists none.
    """

    alias: str = ""
    defaults: str = "conda-forge"
    default_channels: tuple[str, ...] = ("conda-forge",)

    @classmethod
    def of(cls, settings: SettingValues, alias: str) -> ChannelPolicy:
        """Return what the settings of a scope say; ``alias`` is the configuration's."""
        return cls(
            settings["conda_channel_alias"] or alias,
            settings["defaults_channel"],
            tuple(settings["conda_default_channels"]),
        )

    def resolve(self, channels: Sequence[str]) -> list[str]:
        """Return addresses without a trailing slash, in order, each once."""
        resolved = [self.url(channel) for channel in channels or self.default_channels if channel != "nodefaults"]
        return list(dict.fromkeys(resolved or [self.url(channel) for channel in self.default_channels]))

    def url(self, channel: str) -> str:
        """Return the address of one channel."""
        if channel == "defaults" != self.defaults:
            return self.url(self.defaults)
        if "://" in channel:
            return channel.rstrip("/")
        if self.alias:
            return f"{self.alias.rstrip('/')}/{channel}"
        import rattler

        return rattler.Channel(channel).base_url.rstrip("/")

    def resolve_spec(self, spec: str) -> tuple[str, str | None]:
        """Return a match spec with its channel's address in place of the name, and that address."""
        channel, separator, rest = spec.partition("::")
        if not separator:
            return spec, None
        subdir = re.search(r"/(noarch|(?:linux|osx|win)-\w+)$", channel)
        bare = channel[: subdir.start()] if subdir else channel
        url = self.url(bare)
        return f"{url}{subdir.group() if subdir else ''}::{rest}", url


def redact(text: str) -> str:
    """Return ``text`` without the passwords and tokens of addresses in it."""
    return SECRET_IN_URL.sub(strike_out, text)


def strip_credentials(url: str) -> str:
    """Return the address of a channel or conda package without user, password, ``/t/<token>`` and query."""
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    path = parts.path if parts.scheme == "file" else re.sub(r"/t/[^/]+(?=/|$)", "", parts.path)
    return urlunsplit((parts.scheme, host, path, "", ""))


def strip_login(url: str) -> str:
    """Return any other address without user, password and what looks like a secret in its query."""
    parts = urlsplit(url)
    pairs = [pair for pair in parts.query.split("&") if not SECRET_IN_URL.search(f"?{pair}")]
    return urlunsplit((parts.scheme, parts.netloc.rsplit("@", 1)[-1], parts.path, "&".join(pairs), ""))


def local_path(url: str) -> Path | None:
    """Return the path of a ``file://`` address, None for others."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def check_local_channels(urls: Sequence[str], platform: str) -> None:
    """Say plainly that a local channel is not there.

    Raises
    ------
    ChannelError
        A ``file://`` channel has no index for ``platform`` nor ``noarch``.
    """
    for url in urls:
        path = local_path(url)
        if path is None:
            continue
        if not path.is_dir():
            msg = f"channel {url} does not exist: there is no folder {path}"
            raise ChannelError(msg)
        if not (path / "noarch" / "repodata.json").is_file():
            where = "" if (path / platform / "repodata.json").is_file() else f" for {platform} or noarch"
            msg = (
                f"channel {url} has no index (noarch/repodata.json){where}; every channel has one for noarch, "
                f"make one with: jupyter envstore channel {path}"
            )
            raise ChannelError(msg)


def make_client(timeout: int = 60) -> rattler.Client:
    """Return an HTTP client with retries and the account's credentials."""
    import rattler

    return rattler.Client.default_client(max_retries=3, timeout=timeout, user_agent="jupyter-envstore")


def make_gateway(cache_dir: Path, timeout: int = 60, kept_only: bool = False) -> rattler.Gateway:
    """Return a gateway to channels' indexes that keeps them in ``cache_dir``; with ``kept_only`` it asks no network."""
    import rattler

    source = rattler.SourceConfig(cache_action="force-cache-only" if kept_only else "cache-or-fetch")
    return rattler.Gateway(cache_dir=cache_dir, client=make_client(timeout), default_config=source)


def forget_lists_of_shards(cache_dir: Path, error: Exception) -> bool:
    """Drop the kept lists of channels' shards where a server confirms them in too few words; whether that was so.

    rattler refuses a 304 without the validators that RFC 9110 (15.4.5) wants in it; simple servers, such as Python's
    own, send none. The next question fetches the lists, which are small; the shards themselves stay.
    """
    if "304 Not Modified" not in str(error):
        return False
    for path in cache_dir.glob("*.shards-cache-v1"):
        path.unlink(missing_ok=True)
    return True


def note_indexes(cache_dir: Path, urls: Sequence[str], platform: str) -> None:
    """Note that the indexes of these channels were read now."""
    with contextlib.suppress(OSError):  # it is no more than a note
        for mark in _marks(cache_dir, urls, platform):
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()


def last_index(cache_dir: Path, urls: Sequence[str], platform: str) -> str | None:
    """Return when the indexes of all these channels were read last (ISO 8601, UTC); None if one never was."""
    try:
        oldest = min((mark.stat().st_mtime for mark in _marks(cache_dir, urls, platform)), default=None)
    except FileNotFoundError:
        return None
    if oldest is None:
        return None
    return datetime.fromtimestamp(int(oldest), timezone.utc).replace(tzinfo=None).isoformat()


def _marks(cache_dir: Path, urls: Sequence[str], platform: str) -> list[Path]:
    """Return an empty file for each channel; its time is that of the last look at the channel's index."""
    names = [hashlib.sha256(f"{strip_credentials(url).rstrip('/')}/{platform}".encode()).hexdigest() for url in urls]
    return [cache_dir / "read" / name[:32] for name in names]


def explain_channel_error(error: Exception) -> ChannelError:
    """Return rattler's error about a channel in words for people."""
    text = redact(str(error)).strip()
    first, *causes = [line.removeprefix("Caused by: ") for line in text.splitlines() if line.strip()]
    reason = causes[-1] if causes else first
    url = re.search(r"\((https?://[^)\s]+)\)|'(file://[^']+)'", text)
    place = next((group for group in url.groups() if group), "") if url else ""
    place = re.sub(r"/(noarch|[a-z]+-[a-z0-9]+)/[^/]*$", "", place)
    if "parse" in first or "JSON" in text or "deserialize" in text:
        return ChannelError(f"the index of a channel is broken: {first}: {reason}; tell the channel's owner")
    message = f"channel {place or first} cannot be read: {reason}; check its name and the network"
    unreachable = "HTTP status server error" in text or "error sending request" in text
    return (ChannelUnreachableError if unreachable else ChannelError)(message)


@contextlib.contextmanager
def conda_credentials() -> Iterator[None]:
    """Let rattler see the tokens and passwords of ``.condarc``, beside its own ``auth.json`` and keyring.

    They are handed over through a file of mode 0600 that lives as long as the context.
    """
    found = _condarc_credentials()
    if not found:
        yield
        return
    previous = os.environ.get("RATTLER_AUTH_FILE")
    if previous and Path(previous).is_file():
        found |= json.loads(Path(previous).read_text(encoding="utf-8"))
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="envstore-auth-", encoding="utf-8") as file:
        json.dump(found, file)
        file.flush()
        os.environ["RATTLER_AUTH_FILE"] = file.name
        try:
            yield
        finally:
            if previous is None:
                del os.environ["RATTLER_AUTH_FILE"]
            else:
                os.environ["RATTLER_AUTH_FILE"] = previous


def _condarc_credentials() -> dict[str, Any]:
    """Return host to credential, in the form of rattler's authentication file."""
    import yaml

    home = Path.home()
    paths = [os.environ.get("CONDARC", ""), str(home / ".condarc"), str(home / ".conda" / ".condarc")]
    found: dict[str, Any] = {}
    for path in (Path(p) for p in paths if p):
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            continue
        try:
            settings = yaml.safe_load(text)
        except yaml.YAMLError:
            continue  # conda itself will complain of its file; what it holds cannot be known here
        for url in _urls(settings):
            parts = urlsplit(url)
            token = re.search(r"/t/([^/]+)", parts.path)
            if not parts.hostname:
                continue
            if token:
                found[parts.hostname] = {"CondaToken": token.group(1)}
            elif parts.username:
                login = {"username": unquote(parts.username), "password": unquote(parts.password or "")}
                found[parts.hostname] = {"BasicHTTP": login}
    return found


def _urls(value: Any) -> Iterator[str]:
    if isinstance(value, str) and "://" in value:
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _urls(item)
    elif isinstance(value, list):
        for item in value:
            yield from _urls(item)
