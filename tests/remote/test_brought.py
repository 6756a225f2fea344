"""What is noted of environments that are brought."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from jupyter_envstore.remote import brought
from jupyter_envstore.remote.brought import BroughtEnvironments, Coming

DIGEST = "a" * 64


def test_what_tells_nothing_new_is_coming_as_long_as_it_is_brought(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brought, "SILENT_SECONDS", 0.6)
    known = BroughtEnvironments(tmp_path)
    known.tell(DIGEST, Coming("fetch", 1, 2))
    with known.coming_on(DIGEST):
        time.sleep(1.5)
        deadline = time.monotonic() + 20
        while known.coming() != {DIGEST: Coming("fetch", 1, 2)}:  # on a busy machine, it may be told late
            assert time.monotonic() < deadline
            time.sleep(0.05)
    time.sleep(0.8)
    assert known.coming() == {}  # as where the process was killed
    known.tell(DIGEST, Coming(failure="no room"))
    assert known.coming()[DIGEST].failure == "no room"


def test_the_lock_of_one_alone_is_a_file_that_is_open_for_writing(tmp_path: Path) -> None:
    """Over NFS, flock(2) refuses it otherwise."""
    known = BroughtEnvironments(tmp_path)
    with known.locked(alone=True):
        flags = [
            int(Path("/proc/self/fdinfo", handle.name).read_text().split("flags:")[1].split()[0], 8)
            for handle in Path("/proc/self/fd").iterdir()
            if os.path.realpath(handle).endswith("/.lock")
        ]
    assert [flag & os.O_ACCMODE for flag in flags] == [os.O_RDWR]
