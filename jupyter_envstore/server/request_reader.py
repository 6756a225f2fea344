"""What clients send, read: bodies, fields, numbers and texts of the query, pages."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qs

from jupyter_envstore.database.paging import STATUSES, Page
from jupyter_envstore.errors import InvalidInputError, NotFoundError
from jupyter_envstore.server.json_handler import JsonHandler
from jupyter_envstore.spec.names import DYNAMIC, check_name, split_place

T = TypeVar("T")
MAX_PAGE = 100
MAX_ID = 2**31 - 1


class Reader(JsonHandler):
    """A handler that reads input; what cannot be used is refused with its name and the reason."""

    def mend_query(self) -> None:
        """Take the slash away that conda-store's client appends to the end of the query."""
        query = self.request.query
        if query.endswith("/"):
            found = parse_qs(query[:-1], keep_blank_values=True)
            arguments = {key: [value.encode() for value in values] for key, values in found.items()}
            self.request.query_arguments = arguments
            self.request.arguments = {**self.request.body_arguments, **arguments}

    def json_body(self, known: Sequence[str] | None = None, required: Sequence[str] = ()) -> dict[str, Any]:
        """Return the body, a JSON object with no other fields than those ``known`` (None for any).

        Raises
        ------
        InvalidInputError
            It is something else.
        """
        try:
            text = (self.request.body or b"{}").decode()
            body = json.loads(text, parse_constant=_refuse_number, parse_float=_finite)
            if "\\u" in text:  # halves of characters, which nothing can keep
                json.dumps(body, ensure_ascii=False).encode()
        except (ValueError, RecursionError) as error:
            msg = f"the body is not JSON: {error}"
            raise InvalidInputError(msg) from None
        if not isinstance(body, dict):
            msg = "the body must be a JSON object"
            raise InvalidInputError(msg)
        unknown = [key for key in body if known is not None and key not in known]
        if known is not None and unknown:
            msg = f"unknown field {unknown[0][:60]!r}; known: {', '.join(known)}"
            raise InvalidInputError(msg)
        for key in required:
            if body.get(key) is None:
                msg = f"{key!r} is missing"
                raise InvalidInputError(msg)
        return body

    @staticmethod
    def field(body: dict[str, Any], key: str, kind: type[T], default: T) -> T:
        """Return a field of one type; null stands for ``default``.

        Raises
        ------
        InvalidInputError
            It has another type.
        """
        value = body.get(key)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            names = {str: "text", bool: "true or false", int: "a whole number", list: "a list", dict: "an object"}
            msg = f"{key!r} must be {names[kind]}"
            raise InvalidInputError(msg)
        if isinstance(value, int) and not 0 <= value <= MAX_ID:
            msg = f"{key!r} must be a number from 0 to {MAX_ID}"
            raise InvalidInputError(msg)
        return value

    @classmethod
    def addresses(cls, body: dict[str, Any], key: str) -> list[str] | None:
        """Return a list of addresses of a body; None where it has none.

        Raises
        ------
        InvalidInputError
            It is something else.
        """
        found = None if body.get(key) is None else cls.field(body, key, list, [])
        if found is not None and not all(isinstance(item, str) for item in found):
            msg = f"{key!r} must be a list of addresses"
            raise InvalidInputError(msg)
        return found

    @classmethod
    def place_field(cls, body: dict[str, Any], key: str) -> tuple[str, str]:
        """Return ``namespace`` of a body and the name that is its field ``key``, which may be ``NAMESPACE/NAME``."""
        return split_place(cls.field(body, "namespace", str, ""), cls.field(body, key, str, ""))

    @staticmethod
    def build_id(text: str) -> int:
        """Return the id of a build."""
        return Reader.read_id(text, "build")

    @staticmethod
    def read_id(text: str, kind: str) -> int:
        """Return a number of the path; one that nothing can have is refused as one that nothing has.

        Raises
        ------
        InvalidInputError
            It is no number.
        NotFoundError
            Nothing can have this number.
        """
        if not re.fullmatch(r"[0-9]+", text):
            msg = f"{text[:60]!r} is not the id of a {kind}: that is a number"
            raise InvalidInputError(msg)
        if len(text) > 18 or not 0 < int(text) <= MAX_ID:
            msg = f"there is no {kind} {text[:60]}"
            raise NotFoundError(msg)
        return int(text)

    @staticmethod
    def check_place(namespace: str, name: str | None = None) -> None:
        """Refuse what is no name of a namespace or environment."""
        if namespace != DYNAMIC:  # which is looked at like any other; nobody but a pull makes anything in it
            check_name("namespace", namespace)
        if name is not None:
            check_name("environment", name)

    def whole_number(self, key: str, default: int, least: int, most: int) -> int:
        """Return a number of the query.

        Raises
        ------
        InvalidInputError
            It is no whole number between the bounds.
        """
        text = self.get_query_argument(key, None)
        if text is None:
            return default
        if not re.fullmatch(r"[0-9]{1,18}", text) or not least <= int(text) <= most:
            msg = f"{key} {text[:60]!r} must be a whole number from {least} to {most}"
            raise InvalidInputError(msg)
        return int(text)

    def flag(self, key: str) -> bool:
        """Return a yes or no of the query.

        Raises
        ------
        InvalidInputError
            It is neither true nor false.
        """
        text = self.get_query_argument(key, "false").lower()
        if text not in ("true", "false", "1", "0", ""):
            msg = f"{key} {text[:60]!r} must be true or false"
            raise InvalidInputError(msg)
        return text in ("true", "1")

    def text_argument(self, key: str, most: int = 1000) -> str:
        """Return a text of the query, empty without it.

        Raises
        ------
        InvalidInputError
            It is too long, or has control characters.
        """
        text = self.get_query_argument(key, "") or ""
        raw = self.request.query_arguments.get(key, [b""])[-1]
        if any(byte < 32 or byte == 127 for byte in raw):
            msg = f"{key} has control characters"
            raise InvalidInputError(msg)
        if len(text) > most:
            msg = f"{key} has more than {most} characters"
            raise InvalidInputError(msg)
        return text

    def status_argument(self) -> str:
        """Return the status that builds are asked for.

        Raises
        ------
        InvalidInputError
            There is no such status.
        """
        status = self.text_argument("status").upper()
        if status and status not in STATUSES:
            msg = f"status {status[:60]!r} is not known; known: {', '.join(STATUSES)}"
            raise InvalidInputError(msg)
        return status

    def page(self, descending: bool = False) -> Page:
        """Return which page is asked for: ``page``, ``size``, ``sort_by``, ``order``.

        Raises
        ------
        InvalidInputError
            The order or a number is not valid.
        """
        order = self.get_query_argument("order", "desc" if descending else "asc")
        if order not in ("asc", "desc"):
            msg = f"order {order[:60]!r} must be asc or desc"
            raise InvalidInputError(msg)
        return Page(
            self.whole_number("page", 1, 1, MAX_ID),
            self.whole_number("size", MAX_PAGE, 1, MAX_PAGE),
            tuple(self.get_query_arguments("sort_by")),
            order == "desc",
        )


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _refuse_number(text: str) -> float:
    msg = f"{text[:40]} is no number that JSON has"
    raise ValueError(msg)
