"""Working days: weekends and public holidays are none, the days worked in exchange are.

The calendar is that of the library `holidays`, from the State Council's yearly notice. For a year
whose notice is not in the installed version it knows the holidays of the law, without exchanges.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

DAY = timedelta(days=1)


def after(day: date, count: int) -> date:
    """The working day that comes so many working days later."""
    while count > 0:
        day += DAY
        count -= is_one(day)
    return day


def is_one(day: date) -> bool:
    """Whether people work on that day."""
    return _calendar().is_working_day(day)


@lru_cache(maxsize=1)
def _calendar() -> HolidayBase:
    # It takes a third of a second to load, which most processes need not spend.
    from holidays.countries.china import China

    return China()  # type: ignore[no-untyped-call]
