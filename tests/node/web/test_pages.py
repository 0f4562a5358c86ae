"""The pages: what people see, that they must log in, and that nothing comes from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx

from node.http.session import cookie_of
from node.storage.items import Item
from node.web import rendering
from node.workflow import decisions, record
from protocol.lifecycle import Action, Moment, fold
from tests.factories import YUNZHOU
from tests.node.browser import ADDRESS, send, visit
from tests.node.chain import Chain
from tests.node.rooms import CONTENT, Room
from tests.node.workflow.deeds import do
from tests.offices import PASSWORD

COOKIE = cookie_of("donghu")

SCRIPT = "<script>alert('充电')</script>"
LOADED = ("vendor/htmx-2.0.11.min.js", "vendor/htmx-sse-2.2.4.min.js", "pages.js")
SCRIPTS = [f'<script src="{rendering.address_of(name)}" defer>' for name in LOADED]
PLACES = ("href", "src", "action", "formaction", "srcset", "data", "poster")


class Seen(HTMLParser):
    """What a browser makes of a page: its elements, its words, and where it would go."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.places: list[str] = []
        self.words: list[str] = []
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """The words, with single blanks between them."""
        return " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        if ("class", "whole") not in attributes:
            self.words.append(" ")
        self.places += [value or "" for name, value in attributes if name in PLACES]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


async def test_whoever_is_not_logged_in_is_sent_to_the_form(leaf: Room) -> None:
    item = await leaf.submit()
    async with visit(leaf) as client:
        for path in ("/items", "/notices", f"/items/{item}"):
            answer = await client.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/login?next={quote(path, safe='')}"
            assert CONTENT["title"] not in answer.text


async def test_the_form_logs_in_and_the_button_logs_out(leaf: Room) -> None:
    async with visit(leaf) as client:
        answer = await client.post("/login", data={"username": "lin", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert {"httponly", "secure", "samesite=strict"} <= set(cookie.split("; "))
        assert "林晓雨 （撰稿人）" in Seen(await client.get("/items")).text

        answer = await send(client, "/logout")
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert COOKIE not in client.cookies


async def test_a_wrong_password_is_said_on_the_form_which_keeps_the_name(leaf: Room) -> None:
    async with visit(leaf) as client:
        answer = await client.post("/login", data={"username": '"><b>', "password": "x"})
    assert answer.status_code == 401
    assert "用户名或密码不正确。" in answer.text
    assert 'value="&#34;&gt;&lt;b&gt;"' in answer.text
    assert COOKIE not in answer.cookies


async def test_a_locked_account_is_said_on_the_form(leaf: Room) -> None:
    async with visit(leaf) as client:
        for _ in range(5):
            await client.post("/login", data={"username": "lin", "password": "x"})
        answer = await client.post("/login", data={"username": "lin", "password": PASSWORD})
    assert answer.status_code == 429
    assert "请稍后再试" in Seen(answer).text


async def test_another_sites_form_neither_logs_in_nor_out(leaf: Room) -> None:
    async with visit(leaf, "lin") as client:
        for path in ("/login", "/logout"):
            data = {"username": "chen", "password": PASSWORD}
            answer = await client.post(path, data=data, headers={"origin": "https://evil.test"})
            assert answer.status_code == 403
        assert "林晓雨" in Seen(await client.get("/items")).text


async def test_the_list_shows_each_item_where_it_stands_at_every_level(pair: Chain) -> None:
    item = await pair.county.submit(urgency="most_urgent")
    await pair.climb(item)
    await decisions.adopt(pair.above.desk, pair.above.editor, item)
    await pair.deliver()

    async with visit(pair.county, "lin") as client:
        page = Seen(await client.get("/items"))
    assert "我反映的信息 共 1 件" in page.text
    for words in (
        CONTENT["title"],
        "特急",
        "城建城管",
        "东湖县政协",
        "已登记",
        "云州市政协 已采用",
    ):
        assert words.replace(" ", "") in page.text.replace(" ", "")
    assert f"/items/{item}" in page.places


async def test_the_list_shows_an_item_of_which_only_a_later_fact_has_arrived_from_above(
    leaf: Room,
) -> None:
    item = await leaf.registered()
    async with leaf.database.writing.begin() as session:
        kept = await session.get_one(Item, item)
        # What the fold makes of `forwarded` as long as `registered` is still under way.
        record.set_standing(kept, YUNZHOU, fold([Moment(2, 0, "forwarded")]))
    async with visit(leaf, "lin") as client:
        answer = await client.get("/items")
    assert answer.status_code == 200
    assert "云州市政协" in Seen(answer).text


async def test_an_item_shows_its_text_its_authors_and_its_timeline_across_all_levels(
    pair: Chain,
) -> None:
    item = await pair.county.submit(co_authors=[{"username": "chen"}])
    await pair.climb(item)
    for action in (Action.ADOPT, Action.INSTRUCT, Action.IMPLEMENT, Action.CLOSE):
        await do(pair.above, action, item)
    await pair.deliver()

    async with visit(pair.county, "lin") as client:
        answer = await client.get(f"/items/{item}")
    page = Seen(answer)
    assert answer.status_code == 200
    for words in (
        CONTENT["title"],
        *CONTENT["body"].split("\n"),
        "林晓雨（信息员，东湖县团结街道）",
        "陈波（政协委员，东湖县农工党支部）",
        "提交到东湖县政协。",
        "上报云州市政协。",
        "单篇采用。",
        "县长周明远批示：请研究。",
        "县住建局反馈落实情况：已布设四十处充电棚。",
        "办结。",
        "已核验云州市政协的数字签名",
        "第 1 稿",
    ):
        assert words in page.text
    assert "已核验东湖县政协的数字签名" not in page.text


async def test_an_author_first_reads_why_the_item_came_back_and_an_editor_the_text(
    leaf: Room,
) -> None:
    item = await leaf.registered()
    await decisions.return_(leaf.desk, leaf.editor, item, "请补充数据。")
    async with visit(leaf, "lin") as client:
        answer = await client.get(f"/items/{item}")
    [told, rest] = answer.text.split('<ol class="timeline">')
    assert "东湖县政协退回修改，意见：请补充数据。" in told
    assert f'href="/items/{item}/resubmit"' in told
    assert 'id="text-heading"' not in told
    assert 'href="/items/' + str(item) + '/resubmit"' not in rest
    async with visit(leaf, "editor") as client:
        answer = await client.get(f"/items/{item}")
    assert answer.text.index('id="text-heading"') < answer.text.index('id="progress-heading"')


async def test_a_register_number_does_not_break_at_its_hyphen(leaf: Room) -> None:
    item = await leaf.registered()
    async with visit(leaf, "lin") as client:
        answer = await client.get(f"/items/{item}")
    assert '登记，编号 <span class="whole">2026-0001</span>。' in answer.text


async def test_what_people_wrote_is_text_and_never_markup(leaf: Room) -> None:
    wild = {"title": SCRIPT, "body": f"{SCRIPT}\n<img src=x onerror=alert(1)>{{{{ 7*7 }}}}"}
    item = await leaf.registered(**wild)
    await decisions.close(leaf.desk, leaf.editor, item, SCRIPT)

    async with visit(leaf, "lin") as client:
        for path in ("/items", f"/items/{item}", "/notices"):
            answer = await client.get(path)
            page = Seen(answer)
            assert SCRIPT in page.text
            assert page.elements.count("script") == len(SCRIPTS)
            assert "img" not in page.elements
            assert "&lt;script&gt;" in answer.text
        assert "{{ 7*7 }}" in Seen(await client.get(f"/items/{item}")).text


async def test_an_author_reads_what_became_of_the_item_and_new_notices_stand_out_once(
    leaf: Room,
) -> None:
    item = await leaf.registered()
    async with visit(leaf, "lin") as client:
        first = await client.get("/notices")
        # To look is not yet to have read: programs look ahead.
        assert '<li class="unread">' in (await client.get("/notices")).text
        await send(client, "/notices/read")
        second = await client.get("/notices")
    page = Seen(first)
    assert "通知 共 1 条" in page.text
    assert f"东湖县政协登记，编号 {leaf.clock.now.year}-0001。" in page.text
    assert f"/items/{item}" in page.places
    assert '<li class="unread">' in first.text
    assert '<li class="unread">' not in second.text


async def test_an_author_without_notices_and_items_is_told_so(leaf: Room) -> None:
    async with visit(leaf, "chen") as client:
        assert "还没有通知" in Seen(await client.get("/notices")).text
        assert "还没有信息" in Seen(await client.get("/items")).text


async def test_an_item_of_someone_else_is_not_found(leaf: Room) -> None:
    item = await leaf.submit()
    async with visit(leaf, "chen") as client:
        for wanted in (item, uuid4()):
            answer = await client.get(f"/items/{wanted}")
            assert answer.status_code == 404
            assert "没有找到这件信息。" in Seen(answer).text
            assert CONTENT["title"] not in answer.text


async def test_an_administrator_sees_no_items(leaf: Room) -> None:
    item = await leaf.submit()
    async with visit(leaf, "admin") as client:
        assert (await client.get("/")).headers["location"] == "/offices"
        assert (await client.get("/items")).status_code == 403
        assert (await client.get(f"/items/{item}")).status_code == 403


async def test_the_list_is_filtered_by_state_and_turned_page_by_page(leaf: Room) -> None:
    items = [await leaf.submit(title=f"第{n}件") for n in range(52)]
    await decisions.register(leaf.desk, leaf.editor, items[0])
    async with visit(leaf, "editor") as client:
        first = Seen(await client.get("/items"))
        assert ("第51件" in first.text, "第1件" in first.text) == (True, False)
        assert "/items?offset=50" in first.places
        last = Seen(await client.get("/items?offset=50"))
        assert ("第51件" in last.text, "第1件" in last.text) == (False, True)
        assert "/items?offset=0" in last.places
        registered = Seen(await client.get("/items?state=registered"))
        assert "共 1 件" in registered.text
        assert "没有符合条件的信息" in Seen(await client.get("/items?state=adopted")).text


async def test_nothing_on_any_page_comes_from_elsewhere(pair: Chain) -> None:
    item = await pair.county.submit()
    await pair.climb(item)
    async with visit(pair.county, "lin") as client:
        pages = [await client.get(path) for path in _paths(item)]
        style = await client.get("/static/style.css")
    assert [page.status_code for page in pages] == [200, 200, 200, 404, 200]
    assert style.headers["content-type"].startswith("text/css")
    for answer in (*pages, style):
        assert not re.search(r"https?:|//[a-z]", answer.text.replace(ADDRESS, ""))
    assert not re.search(r"@import|url\(", style.text)
    for page in pages:
        assert all(place.startswith(("/", "#")) for place in Seen(page).places)


async def test_pages_say_their_language_and_are_not_kept_framed_or_guessed_at(leaf: Room) -> None:
    item = await leaf.submit()
    async with visit(leaf, "lin") as client:
        for path in _paths(item):
            answer = await client.get(path)
            assert '<html lang="zh-CN" ' in answer.text
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert re.findall(r"<script[^>]*>", answer.text) == SCRIPTS
            assert not re.search(r"style=|\son\w+=", answer.text)


def _paths(item: UUID) -> tuple[str, ...]:
    return ("/items", f"/items/{item}", "/notices", f"/items/{uuid4()}", "/login")


async def test_an_auditor_begins_with_the_log_and_sees_no_items(leaf: Room) -> None:
    item = await leaf.submit()
    async with visit(leaf, "auditor") as client:
        assert (await client.get("/")).headers["location"] == "/audit"
        assert (await client.get(f"/items/{item}")).status_code == 403
