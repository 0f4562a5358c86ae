"""The command line `zhitong`. A mistake of the caller is one line and exit code 2.

Commands import what they need when they run: `zhitong --help` need not load a database.
"""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from node.cli import (
    backup,
    certificates,
    enrol,
    items,
    keys,
    links,
    people,
    quarantine,
    serve,
)
from node.cli.demo import command as demo
from protocol.errors import ZhitongError

application = typer.Typer(
    name="zhitong",
    help="直通：让社情民意信息逐级上报，让办理结果回到反映人。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
enrol.register(application)
serve.register(application)
people.register(application)
items.register(application)
backup.register(application)
links.register(application)
quarantine.register(application)
keys.register(application)
certificates.register(application)
demo.register(application)


def run() -> NoReturn:
    """Run one command and exit: 0 done, 1 failed, 2 a mistake of the caller."""
    try:
        application()
    except ZhitongError as error:
        message = getattr(error, "message", "无法完成这项操作。")
        print(f"zhitong: {message} {error.detail} [{error.code}]", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)
