"""What a store elsewhere refuses, as the error that it would be here."""

from __future__ import annotations

from collections.abc import Mapping

from jupyter_envstore import errors
from jupyter_envstore.builds.workspace import printable
from jupyter_envstore.errors import EnvStoreError, Fault
from jupyter_envstore.remote.answers import silent, strange

SIMPLE = (
    errors.ArtifactError,
    errors.BusyError,
    errors.ChannelError,
    errors.ChannelUnreachableError,
    errors.ConflictError,
    errors.ImageError,
    errors.InvalidInputError,
    errors.LimitError,
    errors.LoginUnavailableError,
    errors.NotFoundError,
    errors.NotReadyError,
    errors.OtherStoreError,
    errors.PackageError,
    errors.PermissionDeniedError,
    errors.PipError,
    errors.PlatformError,
    errors.PolicyError,
    errors.QuotaError,
    errors.RegistryUnreachableError,
    errors.RunningBuildError,
    errors.SolveError,
    errors.SolveTimeoutError,
    errors.StorageError,
    errors.TooLargeError,
)
"""Errors that are made of their message alone."""
CODES = {kind.code: kind for kind in SIMPLE}
LONGEST = 100_000
"""Characters of a message; a solver's explanation may be long."""


def refusal(url: str, status: int, told: Mapping[str, object]) -> EnvStoreError:
    """Return the error that a store answers with.

    Parameters
    ----------
    url : str
        Address of the store.
    status : int
        HTTP status of the answer.
    told : dict
        The answer: ``code`` and ``message``, and what belongs to the code.
    """
    code, message = told.get("code"), told.get("message")
    if not isinstance(message, str):
        return silent(url, f"it says {status}") if status >= 500 else strange(url)
    text = printable(message)[:LONGEST]
    if code == errors.SpecificationError.code:
        return errors.SpecificationError(_faults(told.get("faults")) or text)
    places = told.get("places")
    if code == errors.UnknownPlacesError.code and isinstance(places, list):
        return errors.UnknownPlacesError("it", [printable(str(place)) for place in places])
    kind = CODES.get(str(code))
    if kind is not None:
        return kind(text)
    if status >= 500:
        return silent(url, text)
    return errors.NotFoundError(text) if status == 404 else errors.InvalidInputError(text)


def _faults(told: object) -> list[Fault]:
    """Return the faults of a specification, as far as they are some."""
    found = []
    for fault in told if isinstance(told, list) else ():
        if isinstance(fault, dict) and isinstance(message := fault.get("message"), str):
            line, field = fault.get("line"), fault.get("field")
            number = line if isinstance(line, int) else None
            found.append(Fault(printable(message)[:LONGEST], number, field if isinstance(field, str) else ""))
    return found
