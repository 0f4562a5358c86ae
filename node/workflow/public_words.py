"""What a citizen reads of what became of the item, in plain words.

He is no member of the office: he reads what was decided, and the reason where it is meant for him.
Instructions of leaders, replies in their wording, numbers of register and issues stay inside.
"""

from __future__ import annotations

from typing import Any

from node.workflow.phrases import DEGREES


def sentence(kind: str, data: dict[str, Any], office: str) -> str | None:
    """One sentence; None for what is not told."""
    match kind:
        case "submitted":
            return f"{office}已收到。"
        case "registered":
            return f"{office}已登记，正在办理。"
        case "returned":
            return f"{office}认为情况还需要补充：{_stop(data['reason'])}"
        case "declined":
            return f"{office}没有采用，理由：{_stop(data['reason'])}"
        case "adopted":
            return f"{office}已采用，供领导和有关部门研究。"
        case "adoption_retracted":
            return f"{office}撤销采用。"
        case "forwarded":
            return f"{office}已上报{data['to']['name']}。"
        case "referred":
            return f"{office}已转送{data['to']}。"
        case "instructed":
            return f"领导已作出批示，由{office}跟进。"
        case "leader_read":
            return "领导已阅。"
        case "assigned":
            return f"{office}已交{data['to']}办理。"
        case "replied":
            return f"{data['unit']}已答复：{DEGREES.get(data['degree'], '已研究')}。"
        case "implemented":
            return f"{data['unit']}反馈落实情况：{_stop(data['text'])}"
        case "closed":
            return f"{office}办结：{_stop(data['note'])}" if data.get("note") else f"{office}办结。"
        case "archived":
            return f"{office}已归档。"
        case "merged":
            return f"{office}已与内容相近的反映一并办理。"
        case "unmerged":
            return f"{office}恢复单独办理。"
        case "published":
            return f"{office}已编入内部刊物报送。"
        case "purged":
            return f"{office}已清除这件反映的内容。"
        case _:
            return None


def _stop(text: str) -> str:
    return text if text.endswith(("。", "！", "？", "”")) else f"{text}。"
