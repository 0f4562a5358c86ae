"""Forms: what is wrong is said beside the field, nothing that was entered is lost, and nothing is
done twice or for somebody else."""

from __future__ import annotations

import re
from io import BytesIO

import pytest

from node.http.session import cookie_of
from node.workflow import decisions, people, reading
from node.workflow.people import Newcomer
from protocol.lifecycle import Action
from tests.node.browser import send, visit
from tests.node.rooms import Room
from tests.node.workflow.deeds import do, item_after
from tests.node.workflow.test_editing import edit
from tests.offices import PASSWORD

COOKIE = cookie_of("donghu")

NEW = {"title": "关于山区学校供暖的建议", "body": "全县有九所山区学校。", "topic": "society"}
PDF = b"%PDF-1.4\n%%EOF\n"


async def test_an_item_that_was_written_is_shown_with_a_word_that_it_was_handed_in(
    leaf: Room,
) -> None:
    async with visit(leaf, "lin") as client:
        answer = await send(client, "/write", NEW)
        assert answer.status_code == 303
        page = await client.get(answer.headers["location"])
    assert "已提交。" in page.text
    assert NEW["body"] in page.text
    listed = await reading.list_items(leaf.desk, leaf.lin)
    assert [item.title for item in listed.rows] == [NEW["title"]]


async def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(leaf: Room) -> None:
    async with visit(leaf, "lin") as client:
        answer = await send(client, "/write", NEW | {"title": "", "topic": ""})
    assert answer.status_code == 422
    assert '<a href="#title">标题：请填写</a>' in answer.text
    assert '<a href="#topic">领域：请填写</a>' in answer.text
    assert 'aria-describedby="title-hint title-wrong"' in answer.text
    assert NEW["body"] in answer.text
    assert (await reading.list_items(leaf.desk, leaf.lin)).total == 0


@pytest.mark.parametrize("deed", ["return", "decline", "instruct", "assign", "note"])
async def test_what_is_missing_for_a_deed_is_linked_to_its_own_field(leaf: Room, deed: str) -> None:
    item = await leaf.registered()
    async with visit(leaf, "editor") as client:
        answer = await send(client, f"/items/{item}/{deed}", {})
    places = re.findall(r'<li><a href="#([^"]+)">', answer.text)
    assert answer.status_code == 422
    assert places
    assert all(f'id="{place}"' in answer.text for place in places), places


async def test_a_secret_is_refused_with_advice_and_words_of_secret_papers_are_asked_about(
    leaf: Room,
) -> None:
    async with visit(leaf, "lin") as client:
        secret = await send(client, "/write", NEW | {"classification": "secret"})
        assert "涉密信息不得在本系统填报" in secret.text
        doubtful = NEW | {"body": "本件注意保存，机密★一年。"}
        asked = await send(client, "/write", doubtful)
        assert 'name="confirmed"' in asked.text
        sure = await send(client, "/write", doubtful | {"confirmed": "1"})
    assert (secret.status_code, asked.status_code, sure.status_code) == (422, 409, 303)


async def test_a_file_goes_up_without_scripts_and_the_text_stays_in_the_form(leaf: Room) -> None:
    async with visit(leaf, "lin") as client:
        token = (await client.get("/write")).text.partition('name="csrf" value="')[2][:64]
        upload = {"upload": ("现场.pdf", BytesIO(PDF), "application/pdf")}
        data = NEW | {"csrf": token}
        answer = await client.post("/write/files", data=data, files=upload)
        assert answer.status_code == 200
        assert NEW["body"] in answer.text
        named = answer.text.partition('name="file" value="')[2].partition('"')[0]
        done = await send(client, "/write", NEW | {"file": named})
        item = await client.get(done.headers["location"])
    assert "现场.pdf" in item.text


async def test_a_returned_item_is_improved_in_the_form_that_shows_why(leaf: Room) -> None:
    item = await item_after(leaf, Action.REGISTER, Action.RETURN)
    async with visit(leaf, "lin") as client:
        form = await client.get(f"/items/{item}/resubmit")
        assert "请补充数据。" in form.text
        answer = await send(client, f"/items/{item}/resubmit", NEW)
    assert answer.status_code == 303
    assert await leaf.state(item) == "submitted"


async def test_what_cannot_be_done_leaves_its_form_open_with_the_words(leaf: Room) -> None:
    item = await leaf.registered()
    await decisions.decline(leaf.desk, leaf.editor, item, "已有部署。")
    async with visit(leaf, "editor") as client:
        answer = await send(client, f"/items/{item}/decline", {"reason": "另有安排。"})
        empty = await send(client, f"/items/{item}/return", {"reason": " "})
    assert answer.status_code == 409
    assert "这件信息目前的状态不允许这项操作。" in answer.text
    assert "理由：请填写" in empty.text


async def test_two_editors_at_one_text_lose_nothing(leaf: Room) -> None:
    item = await leaf.registered()
    await edit(leaf, item, title="先改的标题")
    content = NEW | {"title": "后改的标题", "based_on": "1", "why": "理顺文字"}
    async with visit(leaf, "editor") as client:
        answer = await send(client, f"/items/{item}/edit", content)
    assert answer.status_code == 409
    assert "后改的标题" in answer.text
    assert (await reading.view(leaf.desk, leaf.editor, item)).edition.title == "先改的标题"


async def test_several_items_are_taken_up_at_once_and_given_to_an_editor(leaf: Room) -> None:
    items = [str(await leaf.submit(title=f"第{number}件")) for number in range(3)]
    async with visit(leaf, "editor") as client:
        done = await send(client, "/desk/to_triage/register", {"item": items})
        assert done.headers["location"] == "/desk/to_triage?done=register"
        given = {"item": items, "editor": "reviewer"}
        await send(client, "/desk/editing/assign", given)
        desk = await client.get("/desk/editing")
        nothing = await send(client, "/desk/to_triage/register")
    assert desk.text.count(leaf.reviewer.name) >= len(items)
    assert "请先勾选至少 1 件信息" in nothing.text


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test", "/\\evil.test", "evil"])
async def test_signing_in_leads_to_no_other_site(leaf: Room, elsewhere: str) -> None:
    async with visit(leaf, "lin") as client:
        form = await client.get("/login", params={"next": elsewhere})
        chosen = await send(client, "/display", {"theme": "dark", "back": elsewhere})
    assert 'name="next"' not in form.text
    assert chosen.headers["location"] == "/"


async def test_whoever_opens_a_page_is_led_back_to_it_by_signing_in(leaf: Room) -> None:
    async with visit(leaf) as client:
        sent = await client.get("/items?state=adopted")
        form = await client.get(sent.headers["location"])
        assert 'name="next" value="/items?state=adopted"' in form.text
        who = {"username": "lin", "password": PASSWORD, "next": "/items?state=adopted"}
        answer = await client.post("/login", data=who)
    assert answer.headers["location"] == "/items?state=adopted"


async def test_how_pages_are_shown_is_kept_in_the_browser_and_nonsense_is_not(leaf: Room) -> None:
    async with visit(leaf) as client:
        choice = {"theme": "contrast", "text": "largest", "back": "/login"}
        answer = await client.post("/display", data=choice)
        assert answer.headers["location"] == "/login"
        page = await client.get("/login")
        assert 'data-theme="contrast" data-text="largest"' in page.text
        client.cookies.set("zhitong_display", 'x".y.<b>')
        plain = await client.get("/login")
    assert 'data-theme="auto" data-text="normal"' in plain.text


async def test_a_one_time_password_leads_to_the_form_for_a_new_one(leaf: Room) -> None:
    newcomer = Newcomer(username="he", name="何新", roles=("leader",))
    await people.add(leaf.desk, leaf.security, newcomer, "临时的一次性密码甲乙丙")
    async with visit(leaf) as client:
        who = {"username": "he", "password": "临时的一次性密码甲乙丙"}
        await client.post("/login", data=who)
        sent = await client.get("/items")
        assert sent.headers["location"] == "/password"
        new = {"old": who["password"], "new": "自己的密码从此不告诉别人", "again": "不同"}
        wrong = await send(client, "/password", new)
        assert "两次输入的新密码不一样" in wrong.text
        await send(client, "/password", new | {"again": new["new"]})
        assert (await client.get("/items")).status_code == 200


async def test_the_token_of_a_form_is_not_that_of_the_session(leaf: Room) -> None:
    async with visit(leaf, "lin") as client:
        page = await client.get("/write")
        cookie = client.cookies[COOKIE]
    assert cookie not in page.text


async def test_an_author_judges_what_came_of_an_item_once(leaf: Room) -> None:
    item = await item_after(leaf, Action.REGISTER, Action.INSTRUCT)
    await do(leaf, Action.IMPLEMENT, item)
    async with visit(leaf, "lin") as client:
        assert "评价办理结果" in (await client.get(f"/items/{item}")).text
        rated = await send(client, f"/items/{item}/rate", {"score": "5", "comment": "很好。"})
        again = await send(client, f"/items/{item}/rate", {"score": "1"})
    assert (rated.status_code, again.status_code) == (303, 409)
