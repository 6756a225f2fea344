"""Every error that a user can cause: a class with a code and an HTTP status.

A message names the thing, the fault and the way out. Nothing else than an :class:`EnvStoreError`
is ever shown to a user with its text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType


class EnvStoreError(Exception):
    """A fault with a message for the person who can mend it."""

    code = "error"
    status = 400
    exit_code = 1
    suggestions: Mapping[str, Sequence[str]] = MappingProxyType({})
    """What is written wrongly, to what may have been meant, the likeliest first."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong in a specification.

    Parameters
    ----------
    message : str
        What is wrong and what to do.
    line : int or None
        1-based line in the text, where there is one.
    field : str
        Dotted path of the field, for example ``dependencies[3]``.
    """

    message: str
    line: int | None = None
    field: str = ""

    def __str__(self) -> str:
        place = ", ".join(part for part in (f"line {self.line}" if self.line else "", self.field) if part)
        return f"{place}: {self.message}" if place else self.message


class SpecificationError(EnvStoreError):
    """A specification that cannot be used; holds every fault, not only the first."""

    code = "invalid_specification"
    exit_code = 2

    def __init__(self, faults: Sequence[Fault] | str) -> None:
        self.faults = [Fault(faults)] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InvalidInputError(EnvStoreError):
    """An argument that cannot be used: a name, a setting, an option."""

    code = "invalid_input"
    exit_code = 2


class PolicyError(EnvStoreError):
    """The settings of the place forbid it; the message names each thing and the setting."""

    code = "policy"
    exit_code = 2


class AuthenticationError(EnvStoreError):
    """Nobody is known to ask, or with a token that is unknown, expired or revoked."""

    code = "not_authenticated"
    status = 401


class PermissionDeniedError(EnvStoreError):
    """Who asks is known, and may not."""

    code = "forbidden"
    status = 403


class TooLargeError(EnvStoreError):
    """The body of a request has more bytes than are read."""

    code = "too_large"
    status = 413


class NotFoundError(EnvStoreError):
    """Something that was named does not exist (or is not there any more)."""

    code = "not_found"
    status = 404
    exit_code = 3


class ConflictError(EnvStoreError):
    """The thing exists already, or its state does not allow the request."""

    code = "conflict"
    status = 409
    exit_code = 4


class UnknownPlacesError(ConflictError):
    """Packages come from ``places``, which the settings do not name: whoever asks has to accept these addresses."""

    code = "unknown_places"

    def __init__(self, what: str, places: Sequence[str]) -> None:
        self.places = list(places)
        super().__init__(
            f"{what} takes packages from {', '.join(places)}, which the settings of this store do not name; "
            "send the addresses in 'accept' if you trust them"
        )


class NotReadyError(ConflictError):
    """What is asked for is being made; it may be asked for again in a while."""

    code = "not_ready"


class ChannelError(EnvStoreError):
    """A channel that does not exist, that refuses, or whose index cannot be read."""

    code = "channel_error"
    exit_code = 5


class ChannelUnreachableError(ChannelError):
    """A channel whose host does not answer, or answers that it cannot now."""

    code = "channel_unreachable"
    status = 502
    last_index: str | None = None
    """When the indexes of all channels concerned were read last (ISO 8601, UTC), where copies of them are kept."""


class PreconditionError(EnvStoreError):
    """What the request takes for granted is not so (RFC 9110, ``If-Match``)."""

    code = "precondition_failed"
    status = 412


class RangeError(EnvStoreError):
    """The part that is asked for lies outside of the file (RFC 9110, ``Range``); ``size`` is the file's, in bytes."""

    code = "range_not_satisfiable"
    status = 416

    def __init__(self, message: str, size: int) -> None:
        super().__init__(message)
        self.size = size


class RunningBuildError(ConflictError):
    """A build that runs cannot be deleted; conda-store's clients expect the status of bad input."""

    code = "build_runs"
    status = 400


class SolveError(EnvStoreError):
    """No set of packages satisfies the specification; the text is the solver's explanation."""

    code = "unsatisfiable"
    exit_code = 5


class SolveTimeoutError(SolveError):
    """The solver did not answer within the time limit."""

    code = "solve_timeout"
    status = 504


class PackageError(EnvStoreError):
    """A package that cannot be downloaded, whose hash is wrong or that is damaged."""

    code = "package_error"
    exit_code = 5


class PipError(EnvStoreError):
    """A PyPI package that cannot be resolved or installed."""

    code = "pip_error"
    exit_code = 5


class PlatformError(EnvStoreError):
    """The lock does not hold the platform that was asked for."""

    code = "platform_not_locked"
    exit_code = 5


class LimitError(EnvStoreError):
    """A time or size limit was passed."""

    code = "limit_exceeded"
    status = 504
    exit_code = 5


class NotExactError(EnvStoreError):
    """A notebook's exact environment cannot be had."""

    code = "not_exact"
    exit_code = 8


class NotebookCellError(EnvStoreError):
    """A cell of a notebook failed, or its kernel died."""

    code = "cell_failed"
    exit_code = 9


class StoreUnavailableError(EnvStoreError):
    """The store cannot be opened. ``reason`` says why."""

    code = "store_unavailable"
    status = 503
    exit_code = 6

    def __init__(self, reason: str) -> None:
        super().__init__(f"the store cannot be opened: {reason}")


class RemoteStoreUnavailableError(StoreUnavailableError):
    """The store elsewhere, which this server is a client of, does not answer or does not take its login."""

    def __init__(self, message: str, is_refused: bool = False) -> None:
        EnvStoreError.__init__(self, message)
        self.is_refused = is_refused
        """Whether it answers, and refuses the login: what one had from it one may not have any more."""


class LoginUnavailableError(EnvStoreError):
    """It cannot be found out who asks: whoever knows people, such as a JupyterHub, does not answer."""

    code = "login_unavailable"
    status = 503


class QuotaError(EnvStoreError):
    """Somebody has as many of something as they may."""

    code = "too_many"
    status = 429
    exit_code = 4


class BusyError(EnvStoreError):
    """Others use what was asked for; it may be asked for again at once."""

    code = "busy"
    status = 503
    exit_code = 5


class ClientGoneError(EnvStoreError):
    """Nobody waits for the answer any more. The status is the one that proxies log for it; nobody sees it."""

    code = "client_gone"
    status = 499


class StorageError(EnvStoreError):
    """The store cannot be read or written: no space, read-only, locked by another process."""

    code = "storage_error"
    status = 507
    exit_code = 6


class DatabaseAwayError(StorageError):
    """The server of the database does not answer now: it is restarted, or cannot be reached."""

    code = "database_away"
    status = 503


class BlobStoreAwayError(StorageError):
    """The object store does not answer now, or only with errors of its own."""

    code = "object_store_away"
    status = 503


class ForeignFilesError(StorageError):
    """The files that a configuration names are those of another store."""

    code = "foreign_files"


class MissingDiskError(StorageError):
    """The environments of the store's folder are not there, or others are in their place."""


class DamagedFileError(StorageError):
    """A file has not the hash that it must have."""


class BlobRemovedError(StorageError):
    """A file was collected while somebody was about to need it; whoever makes it again finds nothing in the way."""

    code = "file_removed"
    status = 503


class OtherStoreError(EnvStoreError):
    """A store elsewhere that does not answer, or sends something else than it was asked for."""

    code = "other_store"
    status = 502
    exit_code = 6


class ImageError(EnvStoreError):
    """An image or a base that cannot be read, or that a registry refuses."""

    code = "image_error"
    exit_code = 5


class RegistryUnreachableError(ImageError):
    """A registry that does not answer, or says that it cannot now."""

    code = "registry_unreachable"
    status = 502


class RegistryError(EnvStoreError):
    """What the registry refuses, with a code of the distribution specification: ``MANIFEST_UNKNOWN`` and others."""

    def __init__(self, message: str, registry_code: str, status: int = 404) -> None:
        super().__init__(message)
        self.registry_code = registry_code
        self.status = status


class ArtifactError(EnvStoreError):
    """An artifact that cannot be made from this build, with the reason."""

    code = "artifact_error"
    exit_code = 5


class BuildFailedError(EnvStoreError):
    """A build that was waited for ended as FAILED."""

    code = "build_failed"
    exit_code = 5


class BuildCanceledError(EnvStoreError):
    """A build that was waited for was canceled."""

    code = "build_canceled"
    exit_code = 7


class StaleClaimError(EnvStoreError):
    """This worker lost its claim: another attempt has the job now, or it was canceled."""

    code = "stale_claim"
    status = 409
