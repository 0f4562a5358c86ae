"""`zhitong archive export`."""

from __future__ import annotations

import zipfile
from pathlib import Path
from uuid import uuid4

from tests.node.cli.conftest import Zhitong
from tests.offices import Hierarchy


def test_an_items_file_is_written_with_its_evidence_for_its_owner_alone(
    zhitong: Zhitong, lone: Hierarchy, tmp_path: Path
) -> None:
    office = lone.folder / "donghu"
    text, target = tmp_path / "item.md", tmp_path / "一事一档.zip"
    text.write_text("---\ntitle: 充电难\ntopic: city\n---\n正文。\n", "utf-8")
    item = zhitong("submit", text, "--as", "lin", "-c", office).out.strip()

    done = zhitong("archive", "export", item, target, "-c", office)
    assert (done.code, done.err) == (0, "")
    assert "1 稿，附件 0 个" in done.out
    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["稿件/第1稿.md", "办理过程.csv", "说明.html"]

    unknown = zhitong("archive", "export", str(uuid4()), target, "-c", office)
    assert "[item.unknown]" in unknown.mistake
