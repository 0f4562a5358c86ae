"""Words of the pages that no template holds: what was done, what fields are called, what comes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from node.search.highlight import Excerpt
from node.storage.items import Item
from node.workflow.reading import Entry
from node.workflow.tallies import LEVELS

NUMBER = re.compile(r"([0-9A-Za-z]+(?:-[0-9A-Za-z]+)+)")

DOINGS: Mapping[str, str] = {
    "submit": "已提交。进展会记在下面，并在“通知”里告诉您。",
    "resubmit": "修改后的稿件已提交。",
    "register": "已登记。",
    "assign_editor": "已分给这位编辑。",
    "forward": "已上报。",
    "merge": "合并稿已写好。原来各件的作者会得到通知。",
    "edit": "已保存。",
    "adopt": "已采用，作者会得到通知。",
    "decline": "已记为不予采用，理由会告诉作者。",
    "return": "已退回，意见会告诉作者。",
    "withdraw": "已办理撤回。",
    "leader-read": "圈阅已记录，作者会得到通知。",
    "instruct": "批示已记录，作者会得到通知。",
    "implement": "落实情况已记录，作者会得到通知。",
    "close": "已办结。",
    "archive": "已归档。",
    "note": "附言已发出。",
    "take-apart": "合并已撤销，各件恢复单独办理。",
    "claim": "这件信息由您办理，别人打开时会看到。",
    "release": "您不再办理这件信息。",
    "editor": "已改由这位编辑办理。",
    "check": "意见已记录。",
    "send": "已送审。",
    "approve": "已通过。",
    "skip": "已跳过这一步。",
    "send-back": "已退回编辑。",
    "assign": "已交办。",
    "rate": "谢谢您的评价，各级机关会看到。",
    "sign": "已签发，期号已生成，作者会得到通知。",
    "drop": "草稿已删除。",
    "sign-for": "已签收。",
    "hand-back": "已申请退回，请等交办方决定。",
    "reply": "答复已提交，请等交办方审定。",
    "judge": "已审定。",
    "pass-on": "已转交。",
    "call": "已发出。",
    "share": "已转发。",
    "call-move": "已改期，有这则约稿的人都会得到通知。",
    "call-closed": "已结束征集，有这则约稿的人都会得到通知。",
    "call-withdrawn": "已撤回，有这则约稿的人都会得到通知。",
    "draft": "已存为草稿，可以关掉页面，以后再写。",
    "take-over": "已恢复成那一版，原来的内容留在“以前的版本”里。",
    "password": "密码已修改，您在其他设备上的登录已失效。",
    "pause": "已暂停向对方发送。",
    "go-on": "已恢复发送。",
    "probe": "已立即重试。",
    "reconcile": "已发起对账。",
    "limit": "已设定线路的可传范围。",
    "end": "已定下这条线路何时结束。",
    "suspend": "已暂停这个机关。",
    "take-up": "已恢复这个机关。",
    "revoke": "已吊销这个机关。",
    "approve-office": "已批准，程序正在签发证书、开设账号和队列。",
    "refuse": "已拒绝这项申请。",
    "replay": "已请程序重新收取这条消息。",
    "discard": "已作废这条消息。",
    "add": "已添加。",
    "change": "已保存。",
    "disable": "账号已停用。",
    "enable": "账号已恢复。",
    "one-time-password": "一次性密码已设好，本人下次登录时须先修改。",
    "leave": "已登记离任。",
    "join": "已加入单位。",
    "leave-unit": "已登记。",
    "appoint": "已登记聘任。",
    "dismiss": "已提前结束聘任。",
    "return-person": "已登记回任。",
    "chain": "新的审签流程从现在起生效，已经开始的仍按原流程。",
    "topics": "新的领域表从现在起生效。",
    "points": "新的计分规则已保存。",
    "deputy": "代理已登记。",
    "deputy-end": "代理已结束。",
    "public-form": "新的设置从现在起生效。",
}
"""What is said on the page after a form was carried out, by `done` in its address."""

CHOOSE_FILE = "请选择文件"
BEFORE_BEGINNING = "不能早于起始日期"

FIELDS: Mapping[str, str] = {
    "title": "标题",
    "body": "正文",
    "topic": "领域",
    "urgency": "缓急",
    "classification": "公开范围",
    "reason": "理由",
    "text": "内容",
    "to": "交给",
    "on": "日期",
    "leader": "领导",
    "post": "职务",
    "unit": "单位",
    "why": "修改说明",
    "due": "期限",
    "working_days": "工作日",
    "item": "信息",
    "items": "信息",
    "series": "种类",
    "copies": "份数",
    "primary_recipients": "主送",
    "copy_recipients": "抄送",
    "edition": "稿次",
    "kind": "种类",
    "opinion": "意见",
    "score": "评分",
    "comment": "评语",
    "degree": "解决程度",
    "implemented": "是否落实",
    "co_authors": "合作撰稿人",
    "attachments": "附件",
    "username": "用户名",
    "name": "姓名",
    "certificate": "聘书编号",
    "file": "表格",
    "roles": "角色",
    "code": "代码",
    "parent": "上级单位",
    "deputy": "代理人",
    "role": "角色",
    "since": "起始日期",
    "until": "截止日期",
    "left_for": "去向或原因",
    "steps": "步骤",
    "offices": "机关",
    "period": "时期",
    "topics": "要点",
    "tags": "标签",
    "channel": "来源",
    "answers": "约稿",
    "phone": "电话",
    "answer": "验证问题",
    "scan": "扫描件",
    "document": "附件",
    "consent": "个人信息处理说明",
    "per_address": "同一网络地址每天最多",
    "per_day": "全机关每天最多",
    "notice": "个人信息处理说明",
    "version": "版本",
    "worth": "每项几分",
    "from_year": "从哪一年的信息起",
    "levels": "几级都采用",
    "authors": "几人合写",
    "": "填写的内容",
}

POINTS: Mapping[str, str] = {"single": "单篇采用", "combined": "综合采用", "instructed": "领导批示"}
"""What brings points."""
LEVELS_COUNT: Mapping[str, str] = {"sum": "各级相加", "highest": "只算最高的一级"}
AUTHORS_COUNT: Mapping[str, str] = {
    "parts": "按各人的份额分，没有定份额就平分",
    "whole": "每人都得全分",
}

MASTHEADS: Mapping[str, str] = {
    "general_issue": "社情民意",
    "special_report": "社情民意专报",
    "urgent_relay": "社情民意转报",
    "referral": "社情民意转送",
}
"""What stands in red above an issue, by its series."""

CALLS: Mapping[str, str] = {
    "solicitation": "约稿",
    "topic_guide": "征集要点",
    "circular": "通报",
}
ENROLMENTS: Mapping[str, str] = {
    "waiting": "等待批准",
    "approved": "已批准，正在办理",
    "entered": "证书已签发",
    "ready": "回文已备好",
    "welcomed": "已准入",
    "lapsed": "已过期",
    "refused": "已拒绝",
    "revoked": "已吊销",
}

NEXT: Mapping[str, str] = {
    "submitted": "等待登记。登记之前，您可以随时撤回。",
    "registered": "编辑审看后，会采用、退回修改、不予采用或者上报，每一步都会告诉您。",
    "editing": "编辑正在修改文字，您的原稿会完整保留。",
    "in_review": "正在审签。",
    "signed": "已签发，等待编发或上报。",
    "returned": "请按意见修改后重新提交。",
    "merged": "已与其他信息合并，以合并稿的办理情况为准。",
    "adopted": "如有领导批示、办理结果，会告诉您。",
    "declined": "这件信息在这一级不再办理。",
    "withdrawn": "这件信息已撤回。",
    "dissolved": "合并已撤销。",
}
"""What comes next for the author, by the state at the highest office that has the item."""
DONE_WITH = "这件信息已经办结。"


def journey(item: Item) -> list[tuple[str, dict[str, Any]]]:
    """Every office that spoke of the item, the lowest level first."""

    def height(entry: tuple[str, dict[str, Any]]) -> int:
        level = entry[1]["level"]
        return LEVELS.index(level) if level in LEVELS else len(LEVELS)

    return sorted(item.standings.items(), key=height)


def next_step(item: Item) -> str | None:
    """What the author can expect now."""
    if item.closed:
        return DONE_WITH
    way = [kept for _, kept in journey(item) if kept["state"]]
    if not way:
        return None
    if "closed" in way[-1]["kinds"]:
        return DONE_WITH
    states: Sequence[str] = [kept["state"] for kept in way]
    if "returned" in states:
        return NEXT["returned"]
    return NEXT.get(states[-1])


def grounds(item: Item, timeline: Sequence[Entry]) -> str | None:
    """In whose words an item came back or ends here, where that is what the author can expect."""
    kinds = {NEXT["returned"]: "returned", NEXT["declined"]: "declined"}
    kind = kinds.get(next_step(item) or "")
    return next((one.sentence for one in reversed(timeline) if one.kind == kind), None)


def whole(text: str) -> Markup:
    """The text, in which no register number breaks at its hyphen."""
    parts = NUMBER.split(text)
    inside = Markup('<span class="whole">{}</span>')
    return Markup().join(
        inside.format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def marked(excerpt: Excerpt) -> Markup:
    """The excerpt, with what was found in it marked."""
    out, at = Markup(), 0
    for start, end in excerpt.marks:
        out += escape(excerpt.text[at:start])
        out += Markup("<mark>{}</mark>").format(excerpt.text[start:end])
        at = end
    return out + escape(excerpt.text[at:])
