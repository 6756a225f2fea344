"""What the triggers of builds say that came from another store."""

from __future__ import annotations

from jupyter_envstore.services.moved_origin import moved_from, moved_trigger


def test_builds_of_long_names_are_told_apart() -> None:
    assert moved_trigger("team", "data", 3, "2026-01-31") == "moved: team/data:3, 2026-01-31"
    longest = ("n" * 64, "e" * 64)
    found = {
        moved_trigger(namespace, name, number, "2026-01-31")
        for namespace, name in (longest, (longest[0], f"{longest[1][:-1]}x"))
        for number in (9_999_998, 9_999_999)
    }
    assert len(found) == 4
    assert all(len(trigger) <= 64 for trigger in found)
    assert moved_trigger(*longest, 1, "2026-01-31").startswith(moved_from(*longest))
