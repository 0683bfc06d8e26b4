"""The library of talk tracks, for administrators: list, write in chat, upload, stop, and give
one its material."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.people import Role
from bot.domain.tracks import (
    FIELDS,
    REQUIRED,
    Mistake,
    Track,
    Unreadable,
    lacking,
    read,
    read_rows,
    read_toml,
)
from bot.errors import InvalidInput, NotAllowed, NotFound
from handlers.coaching.coaching_facts import EVIDENCE_FOR, library
from handlers.desk import Desk
from handlers.texts import coaching as texts

READERS = frozenset({Role.ADMIN, Role.SUPERVISOR, Role.SALES_DIRECTOR})
WRITING = "track"  # the key of what is being written, in the state of the dialog
WRITING_FOR = timedelta(minutes=30)
MOST_ROWS = 500
OWN = "U"  # how the codes of an administrator's tracks begin

_BY_LABEL = {label: key for key, label in FIELDS.items()}
_HAS_TRACKS = re.compile(r"^\s*\[+\s*tracks\b", re.MULTILINE)
_LINE = re.compile(r"(?P<label>\w{2,3})[:：] *(?P<value>.*)")


async def show(desk: Desk, _: str) -> None:
    """«话术库»: every track with use and success, for those who lead."""
    if not desk.rep.roles & READERS:
        raise NotAllowed(texts.ADMINS_ONLY)
    tracks = await library(desk, stopped=True)
    offered = await library(desk)
    since = desk.at - EVIDENCE_FOR
    listed = texts.listing(
        sorted(tracks.values(), key=lambda track: (track.industry, track.code)),
        frozenset(tracks.keys() - offered.keys()),
        await desk.tx.tracks.shown_counts(since=since),
        await desk.tx.tracks.tallies(since=since),
    )
    desk.say_privately("话术库", listed)


async def write(desk: Desk, words: str) -> None:
    """«新增话术 …»: all at once in lines «开场：…», or one question after the other."""
    _refuse_others(desk)
    first, _, rest = words.partition("\n")
    raw = _lines(words)
    if first.strip() and not _LINE.fullmatch(first.strip()):
        raw = {"title": first.strip(), **_lines(rest)}
    await _go_on(desk, raw)


async def take(desk: Desk, text: str) -> bool:
    """Whether a track is being written in this chat; then the text answers what was asked, or
    names the part that it changes."""
    if Role.ADMIN not in desk.rep.roles:
        return False
    raw = await _written(desk)
    if raw is None:
        return False
    told = _lines(text)
    asked = lacking(raw)
    if not told and asked:
        told = {asked[0]: text.strip()}
    await _go_on(desk, {**raw, **told})
    return True


async def drop(desk: Desk) -> bool:
    """«取消»: whether a track was being written; it is not saved."""
    if Role.ADMIN not in desk.rep.roles or await _written(desk) is None:
        return False
    await _keep(desk, None)
    desk.say(texts.WRITING_DROPPED)
    return True


async def stop(desk: Desk, code: str) -> None:
    """«停用话术 M07»."""
    track = await _named(desk, code)
    await _put(desk, track, active=False)
    desk.say(texts.stopped(track))


async def start(desk: Desk, code: str) -> None:
    """«启用话术 M07»."""
    track = await _named(desk, code)
    await _put(desk, track, active=True)
    desk.say(texts.started(track))


async def give_material(desk: Desk, words: str) -> None:
    """«话术材料 M07 https://…», or the file sent just before."""
    code, _, link = words.partition(" ")
    track = await _named(desk, code)
    if link.strip():
        changed = replace(track, link=link.strip())
        try:
            read({"link": changed.link, **dict.fromkeys(REQUIRED, "x")})
        except Unreadable as error:
            raise InvalidInput(texts.cannot_be_saved(str(error))) from None
        what = changed.link
    else:
        loose = await desk.tx.drafts.loose_of(desk.conversation, desk.rep.id)
        if not loose:
            raise InvalidInput(texts.ATTACH_HOW)
        newest = loose[-1]
        changed = replace(track, file=newest.sha256, file_name=newest.name)
        await desk.tx.drafts.settle_loose([newest.id], desk.at)
        what = newest.name
    await _put(desk, changed, active=track.code in await library(desk))
    desk.say(texts.material_saved(track, what))


async def was_table(desk: Desk, name: str, data: bytes) -> bool:
    """Whether an administrator's file is a table of tracks: a TOML with [[tracks]], or a CSV
    with a column «开场». It is stored as a whole, or refused with every line that is wrong."""
    text = _decoded(data)
    is_toml = name.lower().endswith(".toml")
    looks_right = _HAS_TRACKS.search(text or "") if is_toml else _is_csv_of_tracks(text or "")
    if not looks_right:
        return False
    if text is None:
        raise InvalidInput(texts.TABLE_UNREADABLE)
    tracks, mistakes = read_toml(text) if is_toml else _read_csv(text)
    codes = [] if mistakes else [await _store(desk, track) for track in tracks]
    desk.say(texts.uploaded(codes, mistakes))
    return True


async def _go_on(desk: Desk, raw: Mapping[str, str]) -> None:
    """Ask for what is still missing, or save."""
    missing = lacking(raw)
    if missing:
        await _keep(desk, raw)
        desk.say(texts.ask_for(missing[0]))
        return
    try:
        track = read(raw)
    except Unreadable as error:
        await _keep(desk, raw)
        desk.say(texts.cannot_be_saved(str(error)))
        return
    code = await _store(desk, track)
    await _keep(desk, None)
    desk.say(texts.saved(replace(track, code=code)))


async def _store(desk: Desk, track: Track) -> str:
    """As a new track, or as the next version of the one with its code, which keeps the file;
    the code."""
    known = await library(desk, stopped=True)
    if not track.code:
        numbers = [int(code[1:]) for code in known if code[0] == OWN and code[1:].isdigit()]
        track = replace(track, code=f"{OWN}{max(numbers, default=0) + 1}")
    earlier = known.get(track.code)
    if earlier is not None:
        track = replace(track, file=earlier.file, file_name=earlier.file_name)
    await _put(desk, track, active=True)
    return track.code


async def _put(desk: Desk, track: Track, *, active: bool) -> None:
    await desk.tx.tracks.put(track, active=active, author_id=desk.rep.id, at=desk.at)
    await desk.tx.audit.append(
        at=desk.at,
        actor=f"person:{desk.rep.id}",
        action="change_talk_track",
        subject=f"track:{track.code}",
        before=None,
        after={"title": track.title, "active": active},
    )


async def _named(desk: Desk, code: str) -> Track:
    _refuse_others(desk)
    if not code:
        raise InvalidInput(texts.STOP_WHICH)
    track = (await library(desk, stopped=True)).get(code.upper())
    if track is None:
        raise NotFound(texts.no_such_track(code))
    return track


def _refuse_others(desk: Desk) -> None:
    if Role.ADMIN not in desk.rep.roles:
        raise NotAllowed(texts.ADMINS_ONLY)


async def _written(desk: Desk) -> dict[str, str] | None:
    """What was told of the track being written; None when there is none, or it was left."""
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    kept: dict[str, Any] | None = state.get(WRITING)
    if kept is None or desk.at - datetime.fromisoformat(kept["at"]) > WRITING_FOR:
        return None
    return dict(kept["raw"])


async def _keep(desk: Desk, raw: Mapping[str, str] | None) -> None:
    state = await desk.tx.dialogs.get(desk.conversation, desk.rep.id) or {}
    others = {key: value for key, value in state.items() if key != WRITING}
    if raw is not None:
        others[WRITING] = {"raw": dict(raw), "at": desk.at.isoformat()}
    await desk.tx.dialogs.put(desk.conversation, desk.rep.id, others, desk.at)


def _lines(text: str) -> dict[str, str]:
    """«开场：…» a line each; other lines are passed over."""
    found = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line.strip())
        if match is not None and match["label"] in _BY_LABEL:
            found[_BY_LABEL[match["label"]]] = match["value"].strip()
    return found


def _is_csv_of_tracks(text: str) -> bool:
    head = text.partition("\n")[0].split(",")
    return not {"开场", "opening"}.isdisjoint(column.strip() for column in head)


def _read_csv(text: str) -> tuple[list[Track], list[Mistake]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        names = reader.fieldnames or ()
    except csv.Error as error:
        return [], [Mistake(1, str(error))]
    columns = [_BY_LABEL.get(name.strip(), name.strip()) for name in names]
    absent = [key for key in REQUIRED if key not in columns]
    if absent:
        return [], [Mistake(1, texts.columns_lacking(absent))]
    reader.fieldnames = columns
    rows: list[dict[str, object]] = []
    lines: list[int] = []
    try:
        for row in reader:
            rows.append({key: value for key, value in row.items() if key})
            lines.append(reader.line_num)
    except csv.Error as error:
        return [], [Mistake(reader.line_num, str(error))]
    if len(rows) > MOST_ROWS:
        return [], [Mistake(MOST_ROWS + 1, texts.too_many(MOST_ROWS))]
    return read_rows(rows, lines)


def _decoded(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None
