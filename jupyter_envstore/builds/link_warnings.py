"""What came of linking packages, told to people as warnings of the build."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jupyter_envstore.builds.workspace import Workspace
from jupyter_envstore.database import warnings
from jupyter_envstore.engine.collisions import Collision, Misstated, OutsideLink
from jupyter_envstore.spec.wording import counted


def tell_collisions(workspace: Workspace, collisions: Iterable[Collision]) -> None:
    """Warn of files that stand for those of other packages: one warning for each two packages."""
    found: dict[tuple[str, str], list[str]] = {}
    for collision in collisions:
        for loser in collision.losers:
            found.setdefault((collision.winner, loser), []).append(collision.path)
    for (winner, loser), paths in found.items():
        more = f" (and {counted(len(paths) - 1, 'more file')})" if len(paths) > 1 else ""
        message = f"{paths[0]}{more} of {winner} replaces that of {loser}, which differs"
        workspace.warn(warnings.COLLISION, message, winner, paths[0])
        for path in paths[1:]:
            workspace.log(f"  {path} of {winner} replaces that of {loser}")


def tell_outside_links(workspace: Workspace, links: Sequence[OutsideLink], allowed: bool) -> None:
    """Warn of links that lead out of the environment."""
    without = "" if allowed else "; archives, images and installers are refused for it (setting allow_outside_links)"
    for link in links:
        workspace.warn(warnings.OUTSIDE_LINK, f"{link}{without}", link.package, link.path)


def tell_misstated(workspace: Workspace, packages: Iterable[Misstated]) -> None:
    """Warn of packages whose files have other sizes than they list."""
    for package in packages:
        workspace.warn(warnings.PACKAGE, str(package), package.package, package.path)
