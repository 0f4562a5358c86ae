"""What happened, in plain Chinese: one sentence an event, for pages, notices and the command line.

An author who never heard of the software must understand each sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

STATES = {
    "submitted": "待登记",
    "registered": "已登记",
    "editing": "编辑中",
    "in_review": "审签中",
    "signed": "已签发",
    "adopted": "已采用",
    "declined": "不予采用",
    "returned": "退回修改",
    "withdrawn": "已撤回",
    "merged": "已合并",
    "dissolved": "已拆分",
}
URGENCIES = {"normal": "平急", "urgent": "加急", "most_urgent": "特急"}
TOPICS = {
    "economy": "经济",
    "city": "城建城管",
    "society": "科教文卫体",
    "agriculture": "农林水",
    "government": "政府工作",
}
CHANNELS = {
    "letter": "来信",
    "hotline": "12345热线",
    "visit": "来访",
    "phone": "来电",
    "other": "其他渠道",
}
"""By which an editor hands in what others said."""
ALL_CHANNELS = CHANNELS | {"public_form": "网上反映"}
AUTHOR_KINDS = {
    "member": "政协委员",
    "standing_member": "政协常委",
    "party_group": "党派团体",
    "special_committee": "专委会",
    "informant": "信息员",
    "invited_informant": "特邀信息员",
    "invited_writer": "特邀撰稿人",
    "street_liaison_group": "街镇联络组",
    "direct_report_point": "民情直报点",
    "public_submission": "社会征集",
    "member_organisation": "参加单位",
}
UNIT_KINDS = {
    "special_committee": "专委会",
    "sector": "界别",
    "party_group": "党派团体",
    "member_organisation": "参加单位",
    "street_liaison_group": "街镇联络组",
    "direct_report_point": "民情直报点",
    "department": "内设部门",
    "handling_unit": "承办单位",
}
LEVELS = {"street": "乡镇街道", "county": "县区", "city": "市", "province": "省", "nation": "全国"}
ROLES = {
    "author": "撰稿人",
    "editor": "编辑",
    "reviewer": "审核",
    "signer": "签发",
    "leader": "领导",
    "handler": "承办人",
    "system_administrator": "系统管理员",
    "security_administrator": "安全管理员",
    "auditor": "审计管理员",
}
RELATIONS = {"parent": "上级", "former": "原上级", "child": "下级"}
STANDINGS = {"good": "正常", "suspended": "已暂停", "revoked": "已吊销"}
HELD = {"held": "待处理", "wanted": "等待重新收取", "replayed": "已重新收下", "discarded": "已作废"}
CLASSIFICATIONS = {"public": "公开", "internal": "内部"}
CHECKS = {
    "political": "政治关",
    "policy": "政策关",
    "factual": "事实关",
    "content": "内容关",
    "wording": "文字关",
}
DEGREES = {
    "solved": "已解决",
    "partly_solved": "部分解决",
    "planned": "列入计划",
    "not_solved": "暂不能解决",
}
CASES = {
    "given": "待签收",
    "signed_for": "办理中",
    "hand_back_asked": "申请退回",
    "replied": "已答复，待审定",
    "accepted": "已办结",
    "handed_back": "已退回",
}
SERIES = {
    "general_issue": "普刊",
    "special_report": "专报",
    "urgent_relay": "转报",
    "referral": "转送",
}
VERDICTS = {"approved": "同意", "skipped": "跳过", "sent_back": "退回编辑"}
ERASED = "（内容已清除）"
"""Stands where a purged item had its title, its text, or somebody's words."""

COMBINED = "合并稿："
"""Stands before what was done with the combined item that an item is part of."""

SIMILAR_ELSEWHERE = "类似信息已有报送"
"""All that an author is told of what somebody else handed in."""

ACTIONS = {
    "resubmit": "修改后重新提交",
    "revise": "按上级意见修改",
    "withdraw": "撤回",
    "register": "登记",
    "edit": "编辑",
    "send_to_review": "送审",
    "approve": "审核通过",
    "send_back": "退回编辑",
    "sign_off": "签发",
    "adopt": "采用",
    "publish": "编入刊物",
    "refer": "转送",
    "retract": "撤销采用",
    "decline": "不予采用",
    "return": "退回修改",
    "forward_up": "上报",
    "leader_read": "记录圈阅",
    "instruct": "记录批示",
    "assign": "交办",
    "reply": "记录答复",
    "implement": "反馈落实情况",
    "close": "办结",
    "archive": "归档",
    "merge": "与其他信息合并",
    "take_apart": "撤销合并",
}


MILESTONES = {
    "leader_read": "已圈阅",
    "instructed": "有批示",
    "assigned": "已交办",
    "replied": "有答复",
    "implemented": "已落实",
    "closed": "已办结",
    "archived": "已归档",
}


def standing(kept: dict[str, Any]) -> str:
    """Where an item stands at an office, in a few words: 已采用·有批示·已办结."""
    words = [STATES[kept["state"]]] if kept["state"] else []
    if kept["state"] == "merged" and "adopted" in kept["kinds"]:
        words.append("综合采用")
    words += [word for kind, word in MILESTONES.items() if kind in kept["kinds"]]
    return "·".join(words)


STOPPED = {
    "file.too_large": "超过本机关规定的大小，未接收",
    "file.kind": "不是本机关接收的附件类型，未接收",
    "file.damaged": "内容与上报的清单不符，未接收",
    "blob.piece": "内容与上报的清单不符，已停止接收",
}


def size(count: int) -> str:
    """How large a file is, in a few characters."""
    if count < 1024 * 1024:
        return f"{max(1, round(count / 1024))} KB"
    return f"{count / (1024 * 1024):.1f} MB"


def file_state(complete: bool, arrived: int, pieces: int, stopped: str | None) -> str:
    """How far a file has come; empty when it is whole."""
    if complete:
        return ""
    if stopped is not None:
        return STOPPED.get(stopped, "未接收")
    return f"正在传送，已到 {arrived}/{pieces}"


def sentence(kind: str, data: dict[str, Any], office: str, *, combined: bool = False) -> str:
    """What the office did, in one sentence with its full stop.

    `combined`: with the combined item that this one is part of.
    """
    said = _sentence(kind, data, office)
    return f"{COMBINED}{said}" if combined or data.get("through") else said


def _sentence(kind: str, data: dict[str, Any], office: str) -> str:
    match kind:
        case "submitted" if "originals" in data:
            return f"{office}用 {data['originals']} 件信息合并编写。"
        case "submitted":
            return f"{office}收到这件信息。" if "from" in data else f"提交到{office}。"
        case "resubmitted":
            return f"{office}收到修改后的第 {data['edition']} 稿。"
        case "revised":
            return f"{office}收到第 {data['edition']} 稿。"
        case "edited":
            return f"编辑存为第 {data['edition']} 稿：{_stop(data['reason'])}"
        case "sent_to_review":
            return f"第 {data['edition']} 稿送审，待{data['step']}。"
        case "approved" if data.get("skipped"):
            return f"跳过{data['step']}，理由：{_stop(data['reason'])}"
        case "approved":
            return f"{data['step']}通过。"
        case "sent_back":
            return f"{data['step']}退回编辑，意见：{_stop(data['reason'])}"
        case "signed":
            return f"第 {data['edition']} 稿已签发。"
        case "purged":
            return f"{office}清除了这件信息的内容。"
        case "withdrawal_requested":
            return f"请求撤回，理由：{_stop(data['reason'])}"
        case "registered":
            return f"{office}登记，编号 {data['number']}。"
        case "returned":
            return f"{office}退回修改，意见：{_stop(data['reason'])}"
        case "declined":
            return f"{office}不予采用，理由：{_stop(data['reason'])}"
        case "withdrawn":
            return f"{office}同意撤回。"
        case "withdrawal_refused":
            return f"{office}未同意撤回，理由：{_stop(data['reason'])}"
        case "adopted":
            manner = "单篇采用" if data["manner"] == "single" else "综合采用"
            issue = f"，刊于{data['issue']}" if data.get("issue") else ""
            return f"{office}{manner}{issue}。"
        case "forwarded":
            return f"{office}上报{data['to']['name']}。"
        case "instructed":
            return f"{data['post']}{data['leader']}批示：{_stop(data['text'])}"
        case "implemented":
            return f"{data['unit']}反馈落实情况：{_stop(data['text'])}"
        case "closed":
            note = f"：{_stop(data['note'])}" if data.get("note") else "。"
            return f"{office}办结{note}"
        case "archived":
            return f"{office}归档，保管 {data['years']} 年，到 {data['until']}。"
        case "merged":
            number = f"，合并稿编号 {data['number']}" if data.get("number") else ""
            return f"{office}将这件信息与其他信息合并编写{number}。此后的办理情况以合并稿为准。"
        case "unmerged":
            return f"{office}撤销合并，这件信息恢复单独办理。"
        case "dissolved":
            return f"{office}撤销合并，各件信息恢复单独办理。"
        case "published":
            return f"{office}以{SERIES[data['series']]}编发，刊于{data['issue']}。"
        case "adoption_retracted":
            return f"{office}撤销采用，理由：{_stop(data['reason'])}"
        case "referred":
            return f"{office}转送{data['to']}。"
        case "leader_read":
            return f"{data['post']}{data['leader']}圈阅。"
        case "assigned":
            due = f"，{data['due']} 前答复" if data.get("due") else ""
            return f"{office}交{data['to']}办理{due}。"
        case "replied":
            degree = DEGREES.get(data["degree"], "")
            return f"{data['unit']}答复（{degree}）：{_stop(data['text'])}"
        case "reminded" if data["overdue"]:
            return f"督办：{data['unit']}应在 {data['due']} 前答复，已经逾期。"
        case "reminded":
            return f"催办：{data['unit']}请在 {data['due']} 前答复。"
        case "noted":
            return f"编辑附言：{_stop(data['text'])}"
        case "rated":
            words = f"：{_stop(data['text'])}" if data.get("text") else "。"
            return f"撰稿人评价 {data['score']} 分（满分 5 分）{words}"
        case _:
            # A fact of a later version.
            return f"{office}有新的进展。"


def roles(held: Iterable[str]) -> str:
    """Somebody's roles, in the order in which an item passes them."""
    return "、".join(word for role, word in ROLES.items() if role in held)


def _stop(text: str) -> str:
    return text if text.endswith(("。", "！", "？", "”")) else f"{text}。"
