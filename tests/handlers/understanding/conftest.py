from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from bot.domain.activities import Record
from bot.domain.calendar import WorkingCalendar
from config.policy import load_calendar
from handlers.understanding.customers import CustomerIndex
from handlers.understanding.reader import Reader

WEDNESDAY = datetime.fromisoformat("2026-06-10T15:00:00+08:00")
BOOK = (
    "杭州恒锐机电有限公司",
    "南京栖霞阀业",
    "镇江丹徒电缆",
    "沈阳浑南机器人",
    "沈阳浑南软件",
    "哈尔滨松北锅炉",
    "大连旅顺船舶",
)


@pytest.fixture(scope="session")
def calendar() -> WorkingCalendar:
    return load_calendar()


@pytest.fixture(scope="session")
def reader(calendar: WorkingCalendar) -> Reader:
    return Reader(calendar)


@pytest.fixture
def customers() -> CustomerIndex:
    index = CustomerIndex()
    for key, name in enumerate(BOOK):
        index.add(name, key=key)
    return index


@pytest.fixture
def now() -> datetime:
    return WEDNESDAY


@pytest.fixture
def read(
    reader: Reader, customers: CustomerIndex, now: datetime
) -> Callable[[str], tuple[Record, ...]]:
    return lambda text: reader.read(text, now=now, customers=customers)
