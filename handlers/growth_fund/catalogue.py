"""«兑换目录»: courses, tickets and trainings, kept by HRBP and administrators, in words or by
file."""

from __future__ import annotations

import csv
import io
import re

from bot.domain.payouts.growth import available
from bot.domain.people import Role
from bot.errors import InvalidInput, NotFound
from bot.messages import Fetched
from handlers.customers import customers
from handlers.desk import Desk
from handlers.payouts import rights
from handlers.texts import growth_fund as texts
from handlers.understanding.amounts import find_amounts
from handlers.understanding.normal import normalise
from storage.growth_fund import Item

KEEPERS = frozenset({Role.HRBP, Role.ADMIN})
NAME_LIMIT, NOTE_LIMIT = 40, 100
MOST_ROWS = 500
MOST_MISTAKES = 10
_HEADER = ("类别", "名称", "价格")
_ADD = re.compile(r"(?P<kind>课程|门票|培训)[ :：]+(?P<name>\S+)[ :：]+(?P<price>\S+)(?P<note>.*)")


async def show(desk: Desk, _: str) -> None:
    """«兑换目录»."""
    lines = [
        texts.item_line(one.kind, one.name, one.price_fen, one.note)
        for one in await desk.tx.growth_fund.items()
    ]
    balance = available(await desk.tx.growth_fund.balances(desk.rep.id))
    customers.tell_alone(desk, texts.CATALOGUE_TITLE, texts.catalogue(lines, balance))


async def add(desk: Desk, words: str) -> None:
    """«新增兑换 课程 谈判技巧课 1200元 两天». Raises NotAllowed, InvalidInput."""
    rights.refuse_others(desk.rep, KEEPERS, texts.KEEPERS_ONLY)
    match = _ADD.fullmatch(words.strip())
    if match is None:
        raise InvalidInput(texts.HOW_TO_ADD)
    item = read_item(match["kind"], match["name"], match["price"], match["note"].strip())
    await _put(desk, [item])
    desk.say(texts.added(item.kind, item.name, item.price_fen))


async def end(desk: Desk, words: str) -> None:
    """«下架兑换 谈判技巧课». Raises NotAllowed, InvalidInput, NotFound."""
    rights.refuse_others(desk.rep, KEEPERS, texts.KEEPERS_ONLY)
    name = words.strip()
    if not name:
        raise InvalidInput(texts.WHICH_TO_END)
    if not await desk.tx.growth_fund.end_item(name, desk.at):
        raise NotFound(texts.no_such_item(name))
    await _note(desk, "end_growth_item", {"name": name})
    desk.say(texts.ended(name))


async def take_file(desk: Desk, file: Fetched, name: str) -> bool:
    """Whether the file was a catalogue from who keeps it; then all of it is kept, or refused with
    what is wrong (InvalidInput)."""
    if not desk.rep.roles & KEEPERS or not name.lower().endswith(".csv"):
        return False
    rows = _rows(file.table)
    if rows is None:
        return False
    items, mistakes = [], []
    for number, row in enumerate(rows, start=2):
        try:
            items.append(read_item(*row))
        except InvalidInput as problem:
            mistakes.append(texts.bad_row(number, str(problem)))
    if mistakes or not items:
        raise InvalidInput(texts.table_refused(mistakes[:MOST_MISTAKES] or [texts.HOW_TO_ADD]))
    await _put(desk, items)
    desk.say(texts.imported(len(items)))
    return True


def read_item(kind: str, name: str, price: str, note: str) -> Item:
    """Raises InvalidInput."""
    key = texts.KIND_KEYS.get(kind.strip())
    if key is None:
        raise InvalidInput(texts.UNKNOWN_KIND)
    if not 0 < len(name) <= NAME_LIMIT or len(note) > NOTE_LIMIT:
        raise InvalidInput(texts.NAME_LONG)
    told = price.strip()
    if re.fullmatch(r"[\d,.]+", told):
        told += "元"
    found = find_amounts(normalise(told.replace(",", "")))
    if len(found) != 1 or found[0].value <= 0:
        raise InvalidInput(texts.PRICE_MISSING)
    return Item(0, key, name.strip(), found[0].value, note.strip())


def _rows(table: bytes) -> list[tuple[str, str, str, str]] | None:
    """None for a table of something else."""
    try:
        text = table.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = table.decode("gb18030", errors="replace")
    reader = csv.reader(io.StringIO(text))
    try:
        header = tuple(cell.strip() for cell in next(reader, []))
    except csv.Error:
        return None
    if header[:3] != _HEADER:
        return None
    try:
        written = list(reader)
    except csv.Error as error:
        raise InvalidInput(f"表格读不出来：{error}") from None
    rows = []
    for row in written:
        cells = [*(cell.strip() for cell in row), "", "", "", ""]
        if any(cells):
            rows.append((cells[0], cells[1], cells[2], cells[3]))
    if len(rows) > MOST_ROWS:
        raise InvalidInput(f"一次最多 {MOST_ROWS} 行，请分开发。")
    return rows


async def _put(desk: Desk, items: list[Item]) -> None:
    for item in items:
        await desk.tx.growth_fund.put_item(item, by=desk.rep.id, at=desk.at)
    listed = [[one.kind, one.name, one.price_fen] for one in items]
    await _note(desk, "put_growth_items", {"items": listed})


async def _note(desk: Desk, action: str, after: dict[str, object]) -> None:
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action=action,
        subject="growth:catalogue",
        before=None,
        after=after,
    )
