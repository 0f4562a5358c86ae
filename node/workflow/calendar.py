"""The office's calendar: its days and years begin at midnight in China, wherever the machine is."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

OFFICE_TIME = ZoneInfo("Asia/Shanghai")


def day_of(moment: datetime) -> date:
    """The day on which it is."""
    return moment.astimezone(OFFICE_TIME).date()


def when(moment: datetime) -> str:
    """A moment as people read it."""
    return moment.astimezone(OFFICE_TIME).strftime("%Y年%-m月%-d日 %H:%M")
