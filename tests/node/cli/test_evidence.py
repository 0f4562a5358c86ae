"""`zhitong evidence export` and `verify`."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from node.bootstrap import evidence
from node.workflow import decisions
from protocol import bundle
from tests.node import chain as chains
from tests.node.cli.conftest import Outcome, Zhitong
from tests.node.rooms import Templates
from tests.offices import DEPTH_2, Hierarchy

FORGED = "请补充。\n  ✓ jiangyuan：江原省政协单篇采用。"


@dataclass(frozen=True)
class Item:
    """An item of 东湖 that the city 云州 registered and returned, and its evidence."""

    id: UUID
    office: Path
    above: Path
    content: bytes

    @property
    def root(self) -> Path:
        """The certificate that everybody trusts."""
        return self.office / "keys" / "root.pem"


@pytest.fixture(scope="module")
def item(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Item:
    """The item, in offices that are closed."""
    offices = templates.copy(DEPTH_2, tmp_path_factory.mktemp("evidence") / "pair")

    async def play() -> tuple[UUID, bytes]:
        async with chains.opened(offices) as pair:
            id = await pair.county.submit()
            await pair.climb(id)
            await decisions.return_(pair.above.desk, pair.above.editor, id, FORGED)
            await pair.deliver()
            exported = await evidence.export(pair.county.node, pair.county.editor, id)
            return id, bundle.write(exported)

    id, content = asyncio.run(play())
    return Item(id, offices.folder / "donghu", offices.folder / "yunzhou", content)


@pytest.fixture
def exported(item: Item, tmp_path: Path) -> Path:
    """The item's evidence as a file."""
    file = tmp_path / "evidence.json"
    file.write_bytes(item.content)
    return file


def verify(zhitong: Zhitong, file: Path, item: Item) -> Outcome:
    return zhitong("evidence", "verify", file, "--root", item.root)


def altered(exported: Path, **changed: object) -> Path:
    exported.write_text(json.dumps(json.loads(exported.read_text("utf-8")) | changed), "utf-8")
    return exported


def test_what_is_exported_says_who_said_what_and_what_is_not_proven(
    zhitong: Zhitong, item: Item, tmp_path: Path
) -> None:
    file = tmp_path / "evidence.json"
    done = zhitong("evidence", "export", item.id, file, "-c", item.office)
    assert (done.code, done.err) == (0, "")
    assert f"已写入 {file}：本机关签名 3 份，上级签名 2 份。" in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    done = verify(zhitong, file, item)
    assert (done.code, done.err) == (0, "")
    proven, _, rest = done.out.partition("没有证明：")
    for words in (
        f"信息 {item.id}，凭证出自 yunzhou/donghu",
        "✓ yunzhou/donghu 向 yunzhou 报送第 1 稿《老旧小区电动自行车充电难》",
        "✓ yunzhou 签名确认收到，签名于",
        "✓ yunzhou/donghu（第 1 条）：东湖县政协登记，编号",
        "✓ yunzhou（第 1 条）：云州市政协登记，编号",
        "✓ yunzhou（第 2 条）：云州市政协退回修改，意见：请补充。",
    ):
        assert words in proven
    assert "没有更新的办理记录" in rest
    assert "结论：没有差错。" in rest


def test_a_text_cannot_imitate_a_line_of_the_verdict(
    zhitong: Zhitong, item: Item, exported: Path
) -> None:
    lines = verify(zhitong, exported, item).out.splitlines()
    assert not any(line.startswith("  ✓ jiangyuan") for line in lines)


def test_a_fact_that_was_taken_out_is_told(zhitong: Zhitong, item: Item, exported: Path) -> None:
    received = json.loads(exported.read_text("utf-8"))["received"]
    done = verify(zhitong, altered(exported, received=received[1:]), item)
    assert done.code == 1
    assert "✗ 规则 8（每个机关的办理记录须从 1 起连续编号）" in done.out
    assert "of the facts of yunzhou, number 1 is missing" in done.out
    assert "结论：有 1 处差错，这份凭证不能采信。" in done.out


def test_without_a_receipt_nobody_is_said_to_have_received_it(
    zhitong: Zhitong, item: Item, exported: Path
) -> None:
    sent = json.loads(exported.read_text("utf-8"))["sent"]
    done = verify(zhitong, altered(exported, sent=[{"token": one["token"]} for one in sent]), item)
    assert done.code == 0
    assert "签名确认收到" not in done.out
    assert "yunzhou 收到了第 1 稿：没有它的回执。" in done.out


def test_another_items_evidence_proves_nothing(
    zhitong: Zhitong, item: Item, exported: Path
) -> None:
    done = verify(zhitong, altered(exported, item=str(uuid4())), item)
    assert done.code == 1
    assert "已证明：\n  （没有）" in done.out
    assert "it is about another item" in done.out


def test_under_another_root_nothing_is_proven(
    zhitong: Zhitong, item: Item, exported: Path, lone: Hierarchy
) -> None:
    other = lone.folder / "donghu" / "keys" / "root.pem"
    done = zhitong("evidence", "verify", exported, "--root", other)
    assert done.code == 1
    assert "已证明：\n  （没有）" in done.out
    assert "no trusted root" in done.out


@pytest.mark.parametrize(
    ("content", "said"),
    [("", "the file is not JSON"), ('{"format": "zip"}', "does not say that its format")],
)
def test_a_file_that_is_no_evidence_is_said_to_be_none(
    zhitong: Zhitong, item: Item, exported: Path, content: str, said: str
) -> None:
    exported.write_text(content)
    done = verify(zhitong, exported, item)
    assert (done.code, done.err) == (1, "")
    assert "✗ 规则 1" in done.out
    assert said in done.out


def test_what_cannot_be_read_or_exported_is_a_mistake(
    zhitong: Zhitong, item: Item, exported: Path, tmp_path: Path
) -> None:
    nowhere, words = tmp_path / "nowhere", tmp_path / "words.pem"
    words.write_text("root")
    verifying = ("evidence", "verify")
    assert "cannot read" in zhitong(*verifying, nowhere, "--root", item.root).mistake
    assert "cannot read" in zhitong(*verifying, exported, "--root", nowhere).mistake
    assert "cannot read" in zhitong(*verifying, exported, "--root", words).mistake
    exporting = ("evidence", "export")
    file = tmp_path / "other.json"
    assert "no item id" in zhitong(*exporting, "7", file, "-c", item.office).mistake
    assert "[item.unknown]" in zhitong(*exporting, uuid4(), file, "-c", item.office).mistake
    assert "written at donghu" in zhitong(*exporting, item.id, file, "-c", item.above).mistake
    assert "cannot write" in zhitong(*exporting, item.id, tmp_path, "-c", item.office).mistake
    assert not file.exists()
    playing = ("demo", "--once", "--evidence", tmp_path / "missing" / "evidence.json")
    assert "there is no folder" in zhitong(*playing).mistake
