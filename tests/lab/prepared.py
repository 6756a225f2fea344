"""Environments that several tests look at: built once, and brought back to what they were before each test."""

from __future__ import annotations

from tests.server.live import Server


class Prepared:
    """Environments of ``team`` on a server, each with the builds that it begins with; the newest one is active."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.builds: dict[str, list[int]] = {}

    def environment(self, name: str, *texts: str) -> list[int]:
        """Return the ids of an environment's builds, one of each text. They are made where one is not there."""
        known = self.builds.get(name)
        if known and self._brought_back(name, known):
            return known
        server = self.server
        server.ask("DELETE", f"environment/team/{name}/")
        made = [server.submit(text) for text in texts]
        for build_id in made:
            build = server.wait(build_id)
            assert build["status"] == "COMPLETED", build["status_info"]
        self.builds[name] = made
        return made

    def _brought_back(self, name: str, wanted: list[int]) -> bool:
        """Delete other builds of an environment, and make the last of its own active; false where one is gone."""
        server = self.server
        answer = server.ask("GET", f"environment/team/{name}/")
        if not answer.ok:
            return False
        environment = answer.json()["data"]
        builds = server.data("GET", f"build/?environment_id={environment['id']}")
        ready = [row["id"] for row in builds if row["status"] == "COMPLETED" and not row["packed_away"]]
        if not set(wanted) <= set(ready):
            return False
        if environment["current_build_id"] != wanted[-1]:
            server.data("PUT", f"environment/team/{name}/", json={"build_id": wanted[-1]})
        for row in builds:
            if row["id"] not in wanted:
                if row["ended_on"] is None:
                    server.ask("PUT", f"build/{row['id']}/cancel/")
                    server.wait(row["id"])
                server.data("DELETE", f"build/{row['id']}/")
        return True

    def tidy(self) -> None:
        """Delete environments that a test left behind, because it failed."""
        for row in self.server.data("GET", "environment/"):
            if row["namespace"]["name"] != "team" or row["name"] not in self.builds:
                self.server.ask("DELETE", f"environment/{row['namespace']['name']}/{row['name']}/")
