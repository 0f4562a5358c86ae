"""Everything that pages send, in one table: who may send it, and of what it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.workflow import access
from protocol.lifecycle import Action
from tests.browser import things
from tests.browser.pages import ALL, may
from tests.browser.things import Make
from tests.offices import PASSWORD

AUTHOR, EDITOR = frozenset({access.AUTHOR}), frozenset({access.EDITOR})
HANDLER, SIGNER = frozenset({access.HANDLER}), frozenset({access.SIGNER})
REASON = {"reason": "已有部署。"}
NEW = {"title": "关于山区学校供暖的建议", "body": "全县有九所山区学校。", "topic": "society"}
VERSION = {"version": "1"}


@dataclass(frozen=True)
class Form:
    """What a page sends, by the path of its route; it changes something."""

    route: str
    roles: frozenset[str] = ALL
    """Who may send it."""
    content: Mapping[str, str | list[str]] = field(default_factory=dict)
    """`{it}` is the thing in the address."""
    make: Make | None = None
    """Of what it speaks, where that is not what `things.MAKERS` says."""
    sends: frozenset[str] | None = None
    """Who sends it in the test, where not everybody who may can do it with the thing."""
    answer: int = 303
    """To those who may."""
    open: bool = False
    """Also for those who are not signed in."""


def _item(path: str, action: str, make: Make | None = None, **content: str) -> Form:
    return Form(f"/items/{{item_id}}/{path}", may(action), content, make)


def _case(path: str, action: str, sends: frozenset[str], **content: str) -> Form:
    return Form(f"/cases/{{case_id}}/{path}", may(action), content, sends=sends)


def _office(path: str, make: Make | None = None, **content: str) -> Form:
    return Form(f"/offices/{{peer}}/{path}", may("manage_links"), content, make or things.resumed)


def _person(path: str, make: Make | None = None, **content: str) -> Form:
    return Form(f"/people/{{person_id}}/{path}", may("manage_people"), VERSION | content, make)


REGISTERED = things.after(Action.REGISTER)
INSTRUCTED = things.after(Action.REGISTER, Action.INSTRUCT)
ORDER = {"to": "unit:B1", "text": "请研究办理。", "working_days": "20"}

FORMS: tuple[Form, ...] = (
    Form("/login", content={"username": "lin", "password": PASSWORD}, open=True),
    Form("/logout", open=True),
    Form("/password", content={"old": "x", "new": "新的密码很长很长", "again": "不同"}, answer=422),
    Form("/display", content={"theme": "dark", "text": "large", "back": "/items"}, open=True),
    Form("/public", content=NEW | {"consent": "1", "challenge": "x"}, open=True, answer=422),
    Form(
        "/public-form",
        may("configure_desk"),
        {"version": "9", "per_address": "5", "per_day": "9"},
        answer=409,
    ),
    Form("/write", may("submit"), NEW, sends=AUTHOR),
    Form("/write/files", may("submit"), NEW, answer=200),
    Form("/write/save", may("draft"), NEW),
    Form("/drafts/{draft_id}/discard", may("draft"), VERSION, sends=AUTHOR),
    Form(
        "/drafts/{draft_id}/take-over",
        may("draft"),
        {"version": "2", "wanted": "1"},
        things.rewritten_by_lin,
        AUTHOR,
    ),
    Form("/write/similar", may("submit"), NEW, answer=200),
    Form(
        "/items/{item_id}/resubmit",
        may("resubmit"),
        NEW,
        things.after(Action.REGISTER, Action.RETURN),
    ),
    Form(
        "/items/{item_id}/edit",
        may("edit"),
        NEW | {"based_on": "1", "why": "理顺文字"},
        REGISTERED,
    ),
    Form("/desk/{queue}/register", EDITOR, {"item": "{it}"}, things.after()),
    Form(
        "/desk/{queue}/assign",
        may("assign_editor"),
        {"item": "{it}", "editor": "editor"},
        REGISTERED,
    ),
    Form("/archive", EDITOR, {"item": "{it}"}, things.after(Action.DECLINE)),
    Form("/selection/forward", EDITOR, {"item": "{it}", "note": "请优先。"}, things.signed),
    Form("/merge", EDITOR, {"item": ["{it}", "{other}"], "title": "合并"}, REGISTERED),
    _item("register", "register", things.after()),
    _item("adopt", "adopt", things.signed, manner="single"),
    _item("decline", "decline", **REASON),
    _item("return", "return", **REASON),
    _item("withdraw", "withdraw", things.after(), **REASON),
    _item("forward", "forward_up", things.signed, note="请优先。"),
    _item(
        "instruct",
        "instruct",
        things.adopted,
        leader="周明远",
        post="市长",
        on="2026-11-20",
        text="请研究。",
    ),
    _item("leader-read", "leader_read", things.adopted, leader="周明远", post="市长"),
    _item("implement", "implement", INSTRUCTED, unit="市住建局", text="已落实。"),
    _item("close", "close", note="谢谢。"),
    _item("archive", "archive", things.after(Action.REGISTER, Action.CLOSE)),
    Form(
        "/items/{item_id}/note",
        may("write_note"),
        {"to": "above", "text": "请看附件。"},
        things.forwarded,
    ),
    _item("take-apart", "take_apart", things.combined),
    _item("claim", "claim"),
    _item("release", "claim"),
    _item("editor", "assign_editor", editor="editor"),
    _item("check", "review", edition="1", kind="factual", verdict="passed"),
    Form(
        "/items/{item_id}/send",
        may("send_to_review"),
        {"edition": "2"},
        things.edited,
        EDITOR,
    ),
    Form("/items/{item_id}/approve", may("review"), {"edition": "2"}, things.passed, SIGNER),
    Form(
        "/items/{item_id}/send-back",
        may("review"),
        REASON | {"edition": "2"},
        things.passed,
        SIGNER,
    ),
    Form(
        "/items/{item_id}/skip",
        may("review"),
        REASON | {"edition": "2"},
        things.skippable,
        EDITOR,
    ),
    _item("assign", "assign", INSTRUCTED, **ORDER),
    _item("rate", "rate", things.implemented, score="5", comment="很好。"),
    _case("sign-for", "handle", HANDLER),
    _case("hand-back", "handle", HANDLER, **REASON),
    Form(
        "/cases/{case_id}/reply",
        may("handle"),
        {"text": "已办。", "degree": "solved", "implemented": "1"},
        things.signed_for,
        HANDLER,
    ),
    Form(
        "/cases/{case_id}/judge",
        may("judge_reply"),
        {"verdict": "accepted"},
        things.answered,
    ),
    Form("/cases/{case_id}/pass-on", may("assign"), ORDER, answer=409),
    Form("/issues", EDITOR, {"series": "general_issue", "title": "社情民意"}),
    Form(
        "/issues/{issue_id}/edit",
        EDITOR,
        VERSION | {"title": "社情民意", "primary": "市长\n书记", "copies": "20"},
    ),
    Form("/issues/{issue_id}/drop", EDITOR, VERSION),
    Form("/issues/{issue_id}/sign", SIGNER, VERSION),
    Form("/issues/{issue_id}/withdraw", SIGNER, REASON, things.issued),
    Form(
        "/calls/new",
        EDITOR,
        {
            "kind": "solicitation",
            "title": "防汛约稿",
            "body": "请反映防汛情况。",
            "due": "2099-01-31",
            "everyone": "1",
        },
    ),
    Form("/calls/{call_id}/read", may("read_calls")),
    Form("/calls/{call_id}/move", EDITOR, {"due": "2099-02-28", "reason": "汛期延后。"}),
    Form("/calls/{call_id}/close", EDITOR),
    Form("/calls/{call_id}/withdraw", EDITOR, REASON),
    Form("/notices/read", may("read")),
    Form("/calls/{call_id}/share", EDITOR, {"all_offices": "1"}),
    Form("/enrolments/{peer}/approve", may("manage_links"), make=things.asking),
    Form("/enrolments/{peer}/refuse", may("manage_links"), REASON, things.asking),
    _office("pause", **REASON),
    _office("go-on"),
    _office("probe"),
    _office("reconcile"),
    _office("limit", highest_level="internal"),
    _office("end", things.former, on="2099-12-31"),
    _office("suspend", **REASON),
    _office("take-up", things.suspended),
    Form("/quarantine/{held_id}/replay", may("manage_links")),
    Form("/quarantine/{held_id}/discard", may("manage_links"), REASON),
    Form(
        "/people/new", may("manage_people"), {"username": "heda", "name": "何达", "roles": "editor"}
    ),
    _person("change", name="何新", roles="editor", phone="13800000000"),
    _person("disable", **REASON),
    _person("enable", things.disabled, version="2"),
    _person("one-time-password", password="临时的一次性密码甲乙丙"),
    _person("leave", on="2026-11-20", left_for="调离"),
    _person("return", things.gone, version="2"),
    _person("join", unit="B1", since="2026-01-01"),
    Form(
        "/people/{person_id}/leave-unit",
        may("manage_people"),
        VERSION | {"membership": "none", "until": "2026-06-30"},
        answer=422,
    ),
    _person(
        "appoint", kind="informant", certificate="{it}", since="2026-01-01", until="2026-12-31"
    ),
    Form(
        "/people/{person_id}/dismiss",
        may("manage_people"),
        VERSION | {"appointment": "none", "until": "2026-06-30"},
        answer=422,
    ),
    Form("/imports/{what}", may("manage_people"), answer=422),
    Form("/imports/{what}/take-in", may("manage_people"), {"digest": "0"}, answer=409),
    Form("/units", may("manage_people"), {"code": "S9", "name": "教育界", "kind": "sector"}),
    Form(
        "/topics",
        may("configure_desk"),
        {"version": "9", "code-0": "city", "name-0": "城建", "topic-0": "city"},
        answer=409,
    ),
    Form(
        "/points",
        may("configure_desk"),
        {"version": "9", "from_year": "2026", "levels": "sum", "authors": "parts"},
        answer=409,
    ),
    Form(
        "/chain",
        may("configure_desk"),
        {"name-0": "签发", "role-0": "signer", "another-0": "1"},
    ),
    Form(
        "/deputies",
        may("name_deputy"),
        {"deputy": "reviewer", "role": "signer", "since": "2099-01-01", "until": "2099-01-09"},
        sends=SIGNER,
    ),
    Form("/deputies/{deputy_id}/end", may("name_deputy"), sends=SIGNER),
    _office("revoke", **REASON),
)
