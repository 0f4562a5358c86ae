"""What the operations of the API are sent when every role tries them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.files import docx
from tests.node.rooms import CONTENT
from tests.offices import PASSWORD

REASON = {"reason": "理由"}
BODIES: dict[str, dict[str, Any]] = {
    "POST /items": CONTENT,
    "POST /drafts": {"title": CONTENT["title"]},
    "PUT /drafts/{draft_id}": {"version": 9, "content": {}},
    "POST /drafts/{draft_id}/submit": {"version": 9},
    "POST /drafts/{draft_id}/versions/{version}/take-over": {"version": 9},
    "PUT /topics": {
        "version": 9,
        "topics": [{"code": "city", "name": "城建", "topic": "city"}],
    },
    "PUT /public/settings": {"version": 9},
    "PUT /items/{item_id}/tags": {"tags": ["电梯"]},
    "POST /duplicates": {"title": CONTENT["title"], "body": CONTENT["body"]},
    "POST /items/{item_id}/resubmit": CONTENT,
    "POST /merges": {"items": [str(UUID(int=7)), str(UUID(int=8))]},
    "POST /items/{item_id}/withdraw": REASON,
    "POST /items/{item_id}/adopt": {},
    "POST /items/{item_id}/decline": REASON,
    "POST /items/{item_id}/return": REASON,
    "POST /items/{item_id}/leader-read": {"leader": "周明远", "post": "县长"},
    "POST /items/{item_id}/instruct": {
        "leader": "周明远",
        "post": "县长",
        "text": "请研究。",
        "on": "2026-11-20",
    },
    "POST /items/{item_id}/implement": {"unit": "县住建局", "text": "已布设。"},
    "POST /items/{item_id}/close": {},
    "POST /items/{item_id}/purge": REASON,
    "POST /items/{item_id}/notes": {"text": "请优先考虑。"},
    "POST /calls": {
        "kind": "topic_guide",
        "title": "要点",
        "topics": ["就业"],
        "period": "2026年第四季度",
        "everyone": True,
    },
    "POST /calls/{call_id}/share": {"people": ["nobody"]},
    "POST /calls/{call_id}/move": {"due": "2199-01-01T00:00:00+08:00"},
    "POST /calls/{call_id}/close": {},
    "POST /calls/{call_id}/withdraw": {"reason": "不再需要。"},
    "POST /issues": {"series": "general_issue", "title": "一期"},
    "PUT /issues/{issue_id}": {"version": 1, "title": "一期"},
    "POST /issues/{issue_id}/sign": {"version": 1},
    "POST /issues/{issue_id}/withdraw": REASON,
    "POST /items/{item_id}/assignments": {"unit": "nowhere", "text": "请办理。"},
    "POST /items/{item_id}/rating": {"score": 4},
    "POST /assignments/{assignment_id}/pass-on": {"unit": "nowhere", "text": "请办理。"},
    "POST /assignments/{assignment_id}/hand-back": REASON,
    "POST /assignments/{assignment_id}/reply": {
        "text": "已修好。",
        "degree": "solved",
        "implemented": True,
    },
    "POST /assignments/{assignment_id}/verdict": {"accepted": True},
    "POST /items/{item_id}/claim": {"take_over": False},
    "PUT /items/{item_id}/editor": {"editor": None},
    "POST /items/{item_id}/editions": {
        "based_on": 1,
        "title": "标题",
        "body": "正文",
        "why": "改标题",
    },
    "POST /items/{item_id}/checks": {"edition": 1, "kind": "policy", "passed": True},
    "POST /items/{item_id}/review": {"edition": 1},
    "POST /items/{item_id}/review/approve": {"edition": 1},
    "POST /items/{item_id}/review/skip": REASON | {"edition": 1},
    "POST /items/{item_id}/review/send-back": REASON | {"edition": 1},
    "PUT /desk/chain": {"steps": []},
    "PUT /points": {"version": 9, "from_year": 2026, "worth": {}},
    "POST /desk/deputies": {
        "deputy": "nobody",
        "role": "editor",
        "since": "2026-12-01",
        "until": "2026-12-02",
    },
    "PUT /session/password": {"old": PASSWORD, "new": PASSWORD + "-2"},
    "POST /people": {"username": "wu", "name": "吴", "roles": ["editor"]},
    "PUT /people/{person_id}": {"version": 9, "name": "吴", "roles": ["editor"]},
    "POST /people/{person_id}/disable": REASON | {"version": 9},
    "POST /people/{person_id}/enable": {"version": 9},
    "POST /people/{person_id}/password": {"version": 9, "password": PASSWORD},
    "POST /people/{person_id}/leave": {"version": 9, "on": "2026-12-01", "left_for": "退休"},
    "POST /people/{person_id}/return": {"version": 9},
    "POST /people/{person_id}/memberships": {"version": 9, "unit": "Z", "since": "2026-12-01"},
    "POST /people/{person_id}/memberships/{id}/end": {"version": 9, "until": "2026-12-01"},
    "POST /people/{person_id}/appointments": {
        "version": 9,
        "kind": "informant",
        "certificate": "聘1",
        "since": "2026-12-01",
        "until": "2026-12-02",
    },
    "POST /people/{person_id}/appointments/{id}/end": {"version": 9, "until": "2026-12-01"},
    "POST /units": {"code": "Z", "name": "甲", "kind": "sector"},
    "PUT /units/{unit_id}": {"version": 9, "name": "甲", "kind": "sector"},
    "POST /units/{unit_id}/close": {"version": 9, "on": "2026-12-01"},
    "POST /enrolments/{office}/refuse": REASON,
    "POST /offices/{office}/suspend": REASON,
    "POST /offices/{office}/revoke": REASON,
    "POST /links/{peer}/pause": REASON,
    "POST /links/{peer}/limit": {"highest_level": "internal"},
    "POST /links/{peer}/waive": REASON,
    "POST /links/{peer}/end": {},
    "POST /quarantine/{id}/discard": REASON,
}
"""What an operation is sent. Without a line here, nothing."""

QUERIES = {
    "GET /search": {"q": "电梯"},
    "GET /items/{item_id}/comparison": {"before": "1", "after": "1"},
    "POST /drafts/manuscripts": {"name": "文稿.docx"},
    "DELETE /drafts/{draft_id}": {"version": "9"},
    "DELETE /issues/{issue_id}": {"version": "1"},
    "POST /files": {"name": "说明.txt"},
    "POST /imports/items": {"name": "信息.csv", "dry_run": "true"},
    "POST /imports/{what}": {"name": "单位.csv", "dry_run": "true"},
}
FILES = {
    "POST /drafts/manuscripts": docx("标题", "正文。"),
    "POST /files": "一段说明。".encode(),
    "POST /imports/items": "标题,正文,领域,反映人,身份,单位,渠道\n".encode(),
    "POST /imports/{what}": "代码,名称,类别\n".encode(),
}
NOWHERE = {
    "{what}": "units",
    "{issue_id}": str(UUID(int=7)),
    "{version}": "1",
    "{queue}": "to_triage",
    "{office}": "nowhere",
    "{unit_id}": str(UUID(int=7)),
    "{peer}": "nowhere",
    "{id}": str(UUID(int=7)),
    "{digest}": "00" * 32,
}
