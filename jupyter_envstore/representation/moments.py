"""Moments and durations as JSON values."""

from __future__ import annotations

from datetime import datetime, timezone

from jupyter_envstore.errors import InvalidInputError


def time_json(moment: datetime | None) -> str | None:
    """Return a moment as the API writes it: ISO 8601, UTC, without a zone."""
    return moment.isoformat() if moment else None


def expiration_json(moment: datetime | None) -> str | None:
    """Return the end of a token: ISO 8601 that ends in ``Z``."""
    return f"{moment.isoformat()}Z" if moment else None


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds from one moment to another; None where one of them is not known."""
    return round((end - start).total_seconds(), 3) if start and end else None


def read_moment(text: object, what: str) -> datetime | None:
    """Return a moment (UTC, naive) from ISO 8601 or seconds since 1970; None for none.

    Raises
    ------
    InvalidInputError
        It is neither.
    """
    if text is None or text == "":
        return None
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        msg = f"{what} is text such as 2027-01-31T12:00:00Z, or seconds since 1970"
        raise InvalidInputError(msg)
    try:
        if isinstance(text, int | float):
            return datetime.fromtimestamp(text, timezone.utc).replace(tzinfo=None)
        moment = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        return (moment.astimezone(timezone.utc) if moment.tzinfo else moment).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        msg = f"{what} {str(text)[:60]!r} is not a moment; write for example 2027-01-31T12:00:00Z"
        raise InvalidInputError(msg) from None
