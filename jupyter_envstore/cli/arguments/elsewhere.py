"""The commands of stores elsewhere: logins, and environments that move."""

from __future__ import annotations

from jupyter_envstore.cli.arguments.common import Add, add_accept, add_json, add_several


def register_other_stores(add: Add) -> None:
    """Add the commands of logins to stores elsewhere."""
    login = add(
        "login",
        "logins:login",
        "Log in to a store elsewhere, or list the stores that you are logged in to\n"
        "Notebooks that were written there bring their environments back from it. Make a token on the page of the\n"
        "store's tokens; you are asked for it, and it is kept in a file that you alone can read.",
    )
    login.add_argument("url", metavar="URL", nargs="?", help="address of its Jupyter server (default: list them)")
    login.add_argument("--token-stdin", action="store_true", help="read the token from standard input")
    login.add_argument("--no-check", action="store_true", help="keep the token without asking the store about it")
    add_json(login)
    logout = add(
        "logout", "logins:logout", "Forget the login to a store elsewhere\nIts token works until it is revoked there."
    )
    logout.add_argument("url", metavar="URL", help="address of its Jupyter server")
    add_json(logout)


def register_moving(add: Add) -> None:
    """Add the commands that move environments between stores."""
    push = add(
        "push-to",
        "push_to:push_to",
        "Send environments with their history to a store elsewhere\n"
        "Each build goes as its record: nothing is solved there, no version changes. The active build is built there,\n"
        "the others come without files until somebody wants them. What is there already stays, so it may be repeated.\n"
        "Log in before: jupyter envstore login URL.",
    )
    push.add_argument("url", metavar="URL", help="address of the store")
    add_several(
        push, "environments", nargs="*", metavar="NAMESPACE[/NAME]", help="what is sent (default: all environments)"
    )
    push.add_argument(
        "--into",
        metavar="NAMESPACE",
        help="where they belong there (default: namespaces of the same names, and one's own for 'default')",
    )
    push.add_argument("--active-only", action="store_true", help="send active builds alone")
    push.add_argument("--later", action="store_true", help="download nothing there now, active builds neither")
    push.add_argument("--dry-run", action="store_true", help="say what would be sent, send nothing")
    add_accept(push, "the environments")
    add_json(push)
    taken = add(
        "from-conda-store",
        "from_conda_store:from_conda_store",
        "Take environments over from a conda-store server\n"
        "Of each environment, the current build's lockfile is built: the same packages. Where it has none, the\n"
        "specification is solved anew, and that is told. The token is read from CONDA_STORE_TOKEN, or asked for.",
    )
    taken.add_argument("url", metavar="URL", help="address of conda-store, such as https://hub.example.org/conda-store")
    add_several(
        taken,
        "environments",
        nargs="*",
        metavar="NAMESPACE[/NAME]",
        help="what is taken over (default: all that one may see)",
    )
    taken.add_argument("--into", metavar="NAMESPACE", help="where they belong here (default: as there)")
    taken.add_argument(
        "--specifications",
        metavar="DIR",
        help="write the specifications there, as NAMESPACE/NAME.yml, to solve them later",
    )
    taken.add_argument("--token-stdin", action="store_true", help="read the token from standard input")
    taken.add_argument("--dry-run", action="store_true", help="say what would be built, build nothing")
    add_json(taken)
