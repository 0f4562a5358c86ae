"""Manuscripts of strangers: good ones become title and text, each bad one has its reason."""

from __future__ import annotations

import io
import zipfile

import pytest

from node.errors import InputError, NodeError, TooLongError
from node.manuscript_errors import (
    ManuscriptBombError,
    ManuscriptDamagedError,
    ManuscriptEmbeddedError,
    ManuscriptEmptyError,
    ManuscriptKindError,
    ManuscriptLinksError,
    ManuscriptMacrosError,
    ManuscriptSizeError,
)
from node.workflow import drafts, manuscripts
from node.workflow.manuscripts import Manuscript
from tests.files import archive, compound, docx
from tests.node.browser import problem, visit
from tests.node.rooms import Room, contents

RELATIONS = '<Relationships><Relationship Id="r1" Type="http://x/{kind}" {rest}/></Relationships>'
LINK = RELATIONS.format(kind="hyperlink", rest='Target="http://a.test/" TargetMode="External"')
PICTURE = RELATIONS.format(kind="image", rest='Target="http://a.test/a.png" TargetMode="External"')
DOCUMENT = RELATIONS.format(
    kind="subDocument", rest='Target="file:///a.docx" TargetMode="External"'
)
TEMPLATE = RELATIONS.format(
    kind="attachedTemplate", rest='Target="//b.test/a.dotm" TargetMode="external"'
)
OBJECT = RELATIONS.format(kind="oleObject", rest='Target="a.bin"')
MACRO_TYPE = (
    '<Types><Override ContentType="application/vnd.ms-word.document.macroEnabled"/></Types>'
)
ALTERNATIVE = """<mc:AlternateContent
 xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice>
<w:p><w:r><w:t>新写法</w:t></w:r></w:p></mc:Choice><mc:Fallback>
<w:p><w:r><w:t>旧写法</w:t></w:r></w:p></mc:Fallback></mc:AlternateContent>"""
TRACKED = """<w:p><w:r><w:t>全县</w:t></w:r><w:del><w:r><w:delText>六十</w:delText></w:r></w:del>
<w:moveFrom><w:r><w:t>搬走</w:t></w:r></w:moveFrom><w:ins><w:r><w:t>六十七个</w:t></w:r></w:ins></w:p>"""
SIGNS = """<w:p><w:pPr><w:tabs><w:tab w:val="left"/></w:tabs></w:pPr>
<w:r><w:t xml:space="preserve">甲 </w:t><w:tab/><w:t>乙</w:t><w:br/><w:t>丙</w:t></w:r></w:p>"""


def read(data: bytes, name: str = "文稿.docx") -> Manuscript:
    return manuscripts.read(name, data)


def test_the_first_paragraph_is_the_title_and_the_others_are_the_text() -> None:
    found = read(docx("", "充电难", "", "第一段。", "第二段。", ""))
    assert found == Manuscript("充电难", "第一段。\n第二段。")


def test_a_first_paragraph_that_is_too_long_for_a_title_stays_in_the_text() -> None:
    assert read(docx("长" * 201, "二")) == Manuscript("", "长" * 201 + "\n二")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (ALTERNATIVE, "新写法"),
        (TRACKED, "全县六十七个"),
        (SIGNS, "甲 \t乙\n丙"),
        ("<w:tbl><w:tr><w:tc><w:p><w:r><w:t>表</w:t></w:r></w:p></w:tc></w:tr></w:tbl>", "表"),
    ],
    ids=["alternatives", "tracked changes", "signs", "table"],
)
def test_what_is_read_is_what_a_reader_sees(body: str, text: str) -> None:
    assert read(docx("题", body=body)).body == text


def test_the_words_of_a_hyperlink_are_text_and_its_address_is_left_out() -> None:
    linked = """<w:p><w:r><w:t>详见</w:t></w:r><w:hyperlink><w:r><w:t>县政府网站</w:t></w:r>
    </w:hyperlink><w:r><w:t>。</w:t></w:r></w:p><w:p><w:r><w:instrText>HYPERLINK "http://a.test/"
    </w:instrText></w:r><w:r><w:t>电话表</w:t></w:r></w:p>"""
    found = read(docx("题", body=linked, word___rels__document_xml_rels=LINK))
    assert found.body == "详见县政府网站。\n电话表"


def deflated(size: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("word/media/a.bin", bytes(size))
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ManuscriptKindError),
        (b"%PDF-1.7", ManuscriptKindError),
        (compound("WordDocument"), ManuscriptKindError),
        (archive(xl__workbook_xml="<x/>"), ManuscriptKindError),
        (b"PK\x03\x04" + bytes(manuscripts.MOST_BYTES), ManuscriptSizeError),
        (docx("题")[:-30], ManuscriptDamagedError),
        (docx("题", body="<w:p>"), ManuscriptDamagedError),
        (docx("题", word__styles_xml="<!DOCTYPE x><x/>"), ManuscriptDamagedError),
        (deflated(3_000_000), ManuscriptBombError),
        (docx("题", **{f"a{n}": "" for n in range(600)}), ManuscriptBombError),
        (docx("题", word__vbaProject_bin=b"x"), ManuscriptMacrosError),
        (docx("题", word__a_xml=MACRO_TYPE), ManuscriptMacrosError),
        (docx("题", word__embeddings__a_bin=b"x"), ManuscriptEmbeddedError),
        (docx("题", word__activeX__a_bin=b"x"), ManuscriptEmbeddedError),
        (docx("题", word__a_rels=OBJECT), ManuscriptEmbeddedError),
        (docx("题", body="<w:object/>"), ManuscriptEmbeddedError),
        (docx("题", body="<w:altChunk/>"), ManuscriptEmbeddedError),
        (docx("题", word__a_rels=PICTURE), ManuscriptLinksError),
        (docx("题", word__a_rels=DOCUMENT), ManuscriptLinksError),
        (docx("题", word__a_rels=TEMPLATE), ManuscriptLinksError),
        (docx("", " "), ManuscriptEmptyError),
        (docx(), ManuscriptEmptyError),
    ],
)
def test_what_is_not_a_plain_manuscript_is_refused_with_its_reason(
    data: bytes, error: type[NodeError]
) -> None:
    with pytest.raises(error):
        read(data)


def test_each_reason_has_a_code_of_its_own() -> None:
    codes = {error.code for error in NodeError.__subclasses__() if error.code.startswith("docx.")}
    assert len(codes) == 8


@pytest.mark.parametrize("name", ["文稿.docm", "文稿.doc", "docx", "文稿.txt"])
def test_another_name_is_refused_before_the_content_is_looked_at(name: str) -> None:
    error = ManuscriptMacrosError if name.endswith("docm") else ManuscriptKindError
    with pytest.raises(error):
        read(docx("题", "文"), name)


def test_two_members_of_one_name_are_refused() -> None:
    target = io.BytesIO(docx("题", "文"))
    with zipfile.ZipFile(target, "a") as made, pytest.warns(UserWarning, match="Duplicate"):
        made.writestr("word/document.xml", "<x/>")
    with pytest.raises(ManuscriptDamagedError):
        read(target.getvalue())


def test_a_header_that_claims_less_than_there_is_helps_nobody() -> None:
    data = bytearray(deflated(3_000_000))
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises((ManuscriptBombError, ManuscriptDamagedError)):
        read(bytes(data))


async def test_a_manuscript_becomes_a_draft(leaf: Room) -> None:
    draft = await drafts.of_manuscript(leaf.desk, leaf.lin, "文稿.docx", docx("充电难", "正文。"))
    assert (draft.content.title, draft.content.body) == ("充电难", "正文。")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (docx("题", *["长" * 1000] * 21), TooLongError),
        (docx("题", "反\u202e写"), InputError),
        (docx("题", "\u200f反"), InputError),
    ],
)
async def test_a_text_that_no_draft_can_hold_makes_none(
    leaf: Room, data: bytes, error: type[NodeError]
) -> None:
    before = await contents(leaf.database)
    with pytest.raises(error):
        await drafts.of_manuscript(leaf.desk, leaf.lin, "文稿.docx", data)
    assert await contents(leaf.database) == before


@pytest.mark.usefixtures("quick_passwords")
async def test_a_manuscript_is_sent_as_the_body_of_a_request(leaf: Room) -> None:
    path = "/api/v1/drafts/manuscripts"
    async with visit(leaf, "lin") as lin:
        params = {"name": "文稿.docx"}
        made = await lin.post(path, params=params, content=docx("充电难", "正文。"))
        assert (made.status_code, made.json()["content"]["title"]) == (201, "充电难")
        refused = await lin.post(path, params=params, content=docx("题", word__a_rels=TEMPLATE))
        problem(refused, 422, "docx.links")
        too_large = bytes(manuscripts.MOST_BYTES + 1)
        problem(await lin.post(path, params=params, content=too_large), 413, "docx.too_large")
