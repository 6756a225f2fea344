"""The commands that look at environments, and run something in them: programs, notebooks."""

from __future__ import annotations

import argparse

from jupyter_envstore.cli.arguments.common import (
    Add,
    add_bringing_back,
    add_environment,
    add_json,
    add_picking,
    port,
    seconds,
)


def register_looking(add: Add) -> None:
    """Add the commands that look at environments and builds."""
    listed = add("list", "show:list_environments", "List environments")
    listed.add_argument("namespace", nargs="?", metavar="NAMESPACE")
    add_json(listed)
    show = add("show", "show:show", "Show a build: status, steps, prefix, artifacts")
    add_environment(show)
    add_json(show)
    logs = add("logs", "show:logs", "Print the log of a build")
    add_environment(logs)
    add_json(logs)
    logs.add_argument("-f", "--follow", action="store_true", help="go on until the build has ended")
    diff = add("diff", "show:diff", "Show packages added, removed and changed between two builds")
    diff.add_argument("first", metavar="A", help="NAMESPACE/NAME[:BUILD]")
    diff.add_argument("second", metavar="B", help="NAMESPACE/NAME[:BUILD]")
    add_json(diff)
    search = add(
        "search",
        "channels:search",
        "Find packages in channels\nA name lists its versions; 'nump*' lists names.",
    )
    search.add_argument("package", metavar="PACKAGE")
    search.add_argument("-c", "--channel", action="append", metavar="CHANNEL", help="may be given several times")
    search.add_argument("--platform", help="for example osx-arm64 (default: this machine's)")
    add_json(search)


def register_using(add: Add) -> None:
    """Add the commands that run programs in an environment."""
    run = add(
        "run",
        "use:run",
        "Run a command in an environment\njupyter envstore run team/data -- python script.py",
    )
    add_environment(run)
    run.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    shell = add("shell", "use:shell", "Open a shell in an environment")
    add_environment(shell)
    download = add("download", "use:download", "Write an artifact to a file; it is made if it is not ready")
    add_environment(download)
    kinds = (
        "yaml, lockfile, explicit, archive, docker, installer, pixi, pylock, requirements, sbom, "
        "or one that another package adds"
    )
    download.add_argument("--artifact", required=True, metavar="TYPE", help=kinds)
    variants = "platform of a list of packages or of an installer; tar.zst for an archive"
    download.add_argument("--variant", default="", help=variants)
    download.add_argument("-o", "--output", metavar="PATH", help="file or folder; - for standard output")
    download.add_argument("--force", action="store_true", help="write over another file of the artifact's own name")
    add_json(download)


def register_notebooks(add: Add) -> None:
    """Add the commands of notebooks and scripts."""
    opened = add(
        "open",
        "open_notebook:open_notebook",
        "Open a notebook in JupyterLab, in the environment that it was written in\n"
        "The environment is found in the store, or made from the lock in the notebook, else from what it asked for.\n"
        "The notebook is opened in a Jupyter server that runs already and shows its folder, else in a new one.",
    )
    opened.add_argument("notebook", metavar="NOTEBOOK", help="an .ipynb file")
    add_bringing_back(opened)
    opened.add_argument(
        "--app", choices=["lab", "notebook"], default="", help="JupyterLab, which is the default, or Jupyter Notebook"
    )
    opened.add_argument("--no-browser", action="store_true", help="print the address, open no browser")
    opened.add_argument(
        "--port", type=port, default=0, help="port of a new server; default: the first free one from 8888 on"
    )
    made = add(
        "from-notebook",
        "from_notebook:from_notebook",
        "Make an environment for a notebook or script that remembers none\n"
        "What it needs is taken from its script block (PEP 723); else from environment.yml, pixi.toml, pyproject.toml\n"
        "or requirements.txt beside it; else from its imports. It is printed; with --build it is built.",
    )
    made.add_argument("file", metavar="FILE", help="an .ipynb, .py or .R file; notebooks in Python or R")
    made.add_argument("-o", "--output", metavar="FILE", help="write the environment.yml there instead of printing it")
    made.add_argument("--build", action="store_true", help="show what would be built, ask, and build it")
    made.add_argument("--yes", action="store_true", help="build without asking")
    made.add_argument("--name", metavar="[NAMESPACE/]NAME", help="name of the environment (default: the file's)")
    made.add_argument(
        "--package",
        action="append",
        metavar="MODULE=PACKAGE",
        help="the package that has a module, for example cv2=opencv or cv2=pip:opencv-python; empty for none; may be "
        "given several times",
    )
    made.add_argument(
        "--accept-guesses", action="store_true", help="also build packages of which only the name is that of a module"
    )
    made.add_argument("--no-wait", action="store_true", help="return at once; follow it with: logs -f")
    made.add_argument(
        "--exclude-newer", default="", metavar="DATE", help="leave out packages uploaded later, for example 2026-01-31"
    )
    add_picking(made)
    add_json(made)
    block = add(
        "script-block",
        "script_block:write_script_block",
        "Write what an environment was asked for into a notebook or script, for uv and juv (PEP 723)\n"
        "A script block that is there is replaced; its tables, as [tool.uv], stay.",
    )
    block.add_argument("file", metavar="FILE", help="an .ipynb or .py file")
    block.add_argument(
        "--environment",
        metavar="NAMESPACE/NAME[:BUILD]",
        help="the environment (default: the one that the notebook remembers)",
    )
    block.add_argument("--print", action="store_true", help="print the block, write nothing")
    add_json(block)
    run = add(
        "run-notebook",
        "notebook:run_notebook",
        "Run a notebook in the environment that it was written in\n"
        "The environment is found in the store, or made from the lock in the notebook, else from what it asked for.",
    )
    run.add_argument("notebook", metavar="NOTEBOOK", help="an .ipynb file; - for standard input")
    run.add_argument("-o", "--output", metavar="FILE", help="write the notebook with its outputs there; - prints it")
    run.add_argument(
        "-p",
        "--parameter",
        action="append",
        metavar="NAME=VALUE",
        help="a value for the cell with the tag 'parameters', as papermill does; may be given several times",
    )
    add_bringing_back(run)
    run.add_argument(
        "--timeout", type=seconds, metavar="SECONDS", help="how long one cell may take (default: any time)"
    )
    run.add_argument("--allow-errors", action="store_true", help="go on behind a cell that failed")
    add_json(run)
