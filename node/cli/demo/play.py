"""Playing the demo on a terminal: the story, one author's timeline, the reckoning."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.bootstrap.evidence import export
from node.bootstrap.server import until_signal
from node.cli.common import write_private
from node.cli.demo import cast as casting
from node.cli.demo import reckoning, start
from node.cli.demo.cast import Account, Cast
from node.cli.demo.desk import DemoError, until
from node.cli.demo.scenario import Scenario
from node.cli.demo.stage import Stage
from node.cli.timeline import print_item
from node.workflow import reading
from protocol import bundle

SHOWN = 14
"""The item whose timeline is printed: instructed by the province, carried out, closed."""


async def play(
    folder: Path,
    *,
    once: bool,
    broker: str | None,
    database: str | None,
    evidence: Path | None = None,
) -> bool:
    """Play the story and reckon; whether nothing was lost, duplicated or wrong."""
    console = Console(highlight=False)
    began = time.monotonic()
    cast = casting.load()
    carrier = "RabbitMQ" if broker else "进程内传递"
    storage = "PostgreSQL" if database else "SQLite"
    console.print(Text("直通 演示：一省、两市、四县", style="bold"))
    console.print(f"  {len(casting.OFFICES)} 个政协机关，{carrier}，{storage}。正在搭建……")
    stage = Stage(folder, broker=broker, database=database, ports=not once)

    def say(office: str, words: str, colour: str) -> None:
        line = Text(f"  {time.monotonic() - began:5.1f} 秒  ", style="dim")
        line.append(f"{casting.BY_ID[office].name}  ", style="bold")
        line.append(words, style=colour)
        console.print(line, no_wrap=True, overflow="ellipsis")

    try:
        async with stage.open(cast):
            scenario = Scenario(cast, stage.addresses, say, pause=0.0 if once else 0.05)
            await scenario.play()
            console.print("  等待全部回执和反馈到达……")
            nodes = list(stage.nodes.values())
            await until("all messages arrive", lambda: reckoning.settled(nodes))
            total = await reckoning.reckon(nodes, scenario.expected)
            await _show_one(console, stage, scenario)
            if evidence is not None:
                await _write_evidence(console, stage, scenario, evidence)
            shown = scenario.numbered(SHOWN).authors[0]
            if not once:
                _print_addresses(console, stage, cast, shown)
            for problem in total.wrong:
                console.print(f"  有误：{problem}", style="red")
            print(
                f"{total.items} items, {total.hops} hops, {total.facts} facts, "
                f"{total.notices} notices in {time.monotonic() - began:.1f} s; "
                f"lost {total.lost}, duplicated {total.duplicated}"
            )
            if not once:
                application = start.build(stage.nodes, stage.addresses, shown.username)
                async with start.served(application):
                    console.print(
                        f"用浏览器打开 {start.ADDRESS} ，点一个人就能进去。", style="bold"
                    )
                    console.print("演示仍在运行，按 Ctrl-C 结束。", style="bold")
                    await until_signal()
            return total.good
    except DemoError as error:
        console.print(f"演示未能完成：{error}", style="red")
        return False


async def _show_one(console: Console, stage: Stage, scenario: Scenario) -> None:
    number = SHOWN
    manuscript = scenario.numbered(number)
    console.print()
    console.print(f"{manuscript.authors[0].name}打开自己的信息，看到它走过的每一步：", style="bold")
    desk = stage.nodes[manuscript.office].desk
    actor = await stage.actor(manuscript.authors[0])
    view = await reading.view(desk, actor, scenario.id_of(number))
    print_item(view, console)
    console.print()


async def _write_evidence(console: Console, stage: Stage, scenario: Scenario, file: Path) -> None:
    """The evidence about the item that was shown, and the root certificate to verify it with."""
    manuscript = scenario.numbered(SHOWN)
    node = stage.nodes[manuscript.office]
    author = await stage.actor(manuscript.authors[0])
    exported = await export(node, author, scenario.id_of(SHOWN))
    root = file.with_suffix(".root.pem")
    write_private(file, bundle.write(exported))
    write_private(root, node.settings.path(node.settings.keys.root).read_bytes())
    console.print("它的凭证已写入文件，任何人都能核验：", style="bold")
    command = f"  .venv/bin/zhitong evidence verify {file} --root {root}"
    console.print(command, soft_wrap=True, markup=False)
    console.print()


def _print_addresses(console: Console, stage: Stage, cast: Cast, shown: Account) -> None:
    table = Table(
        "机关", "网址", "编辑", "撰稿人（举例）", title="用浏览器看看，密码都是 " + casting.PASSWORD
    )
    for office in casting.OFFICES:
        authors = [a for a in cast.accounts if a.office == office.id]
        # Where the timeline above is from, its author.
        authors = [a for a in authors if a == shown] or authors
        example = f"{authors[0].username}（{authors[0].name}）" if authors else "—"
        table.add_row(office.name, stage.addresses[office.id], "editor", example)
    console.print(table)
