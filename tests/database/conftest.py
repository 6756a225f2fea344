"""What tests of databases share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgresql import Postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[Postgresql]:
    """A server of PostgreSQL."""
    started = Postgresql().start()
    yield started
    started.remove()
