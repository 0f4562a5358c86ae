"""The command line `zhitong`. A mistake of the caller is one line and exit code 2.

A command's module is imported when the command runs: an office's program takes a second to load,
and scripts call many commands.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

from node.errors import message_of
from protocol.errors import ZhitongError

COLLECT_AFTER = 20_000
"""Young objects before the garbage collector looks at them.

A batch of messages makes tens of thousands of objects that live for one transaction; walking all
of them every 700 allocations took a tenth of the relay's time, and a quarter of the time to load.
"""

MODULES = {
    "init": "enrol",
    "enrol": "enrol",
    "enrolment": "enrolment",
    "serve": "serve",
    "migrate": "migrate",
    "user": "people",
    "people": "imports",
    "units": "imports",
    "items": "imports",
    "submit": "items",
    "show": "items",
    "search": "search",
    "evidence": "evidence",
    "archive": "archive",
    "backup": "backup",
    "restore": "backup",
    "link": "links",
    "quarantine": "quarantine",
    "audit": "audit",
    "keys": "keys",
    "certificates": "certificates",
    "office": "offices",
    "purge": "purges",
    "demo": "demo.command",
}
"""Commands, in the order of the help, and the module in this package that registers each."""


class Commands(TyperGroup):
    """The commands, each imported when it is named."""

    def list_commands(self, _context: Any) -> list[str]:
        return list(MODULES)

    def get_command(self, context: Any, name: str) -> TyperCommand | TyperGroup | None:
        if name not in MODULES:
            return None
        part = typer.Typer()
        import_module(f"node.cli.{MODULES[name]}").register(part)
        return get_group(part).get_command(context, name)  # type: ignore[return-value]


application = typer.Typer(
    cls=Commands,
    name="zhitong",
    help="直通：让社情民意信息逐级上报，让办理结果回到反映人。",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def run() -> NoReturn:
    """Run one command and exit: 0 done, 1 failed, 2 a mistake of the caller."""
    gc.set_threshold(COLLECT_AFTER, 20, 50)
    try:
        get_group(application)()
    except ZhitongError as error:
        print(f"zhitong: {message_of(error)} {error.detail} [{error.code}]", file=sys.stderr)
        sys.exit(2)
    sys.exit(0)
