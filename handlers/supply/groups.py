"""Where a station hears: groups of the configuration, groups that said so, else its people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.domain.people import Role
from bot.domain.supply import ROLES, Station
from bot.errors import NotAllowed, Refused
from bot.messages import Address, Platform
from handlers.desk import Desk, Office
from handlers.texts import supply as texts
from storage.unit_of_work import UnitOfWork

SETTING = "supply.groups"
_MAY_BIND = frozenset({Role.SALES_DIRECTOR, Role.ADMIN})


async def addresses(tx: UnitOfWork, office: Office, station: Station) -> list[Address]:
    """In order, each once; empty where nobody would hear."""
    bound = await _bound(tx)
    keys = [*office.supply_groups.get(station, ()), *bound.get(str(station), ())]
    if keys:
        return [address_of(key) for key in dict.fromkeys(keys)]
    people = await tx.people.list_by_role(ROLES[station])
    return [to for to in (office.address_of(person) for person in people) if to is not None]


def address_of(key: str) -> Address:
    """Of an `Address.key`. Raises ValueError for what is none."""
    platform, app, kind, name = key.split(":", 3)
    if kind not in "ugw" or not (app and kind and name):
        raise ValueError(key)
    return Address(
        Platform(platform),
        app,
        user_id=name if kind == "u" else None,
        chat_id=name if kind == "g" else None,
        webhook=name if kind == "w" else None,
    )


async def bind(desk: Desk, words: str) -> None:
    """«仓储推送到本群»."""
    station = _here(desk, words)
    groups = await _bound(desk.tx)
    own = [*groups.get(str(station), ()), desk.message.origin.key]
    await _save(desk, {**groups, str(station): list(dict.fromkeys(own))}, groups)
    desk.say(texts.bound(station))


async def unbind(desk: Desk, words: str) -> None:
    """«仓储不再推送到本群»."""
    station = _here(desk, words)
    groups = await _bound(desk.tx)
    own = groups.get(str(station), [])
    if desk.message.origin.key not in own:
        desk.say(texts.not_bound(station))
        return
    left = [key for key in own if key != desk.message.origin.key]
    await _save(desk, {**groups, str(station): left}, groups)
    desk.say(texts.unbound(station))


def _here(desk: Desk, words: str) -> Station:
    if not desk.rep.roles & _MAY_BIND:
        raise NotAllowed(texts.ONLY_ADMINS)
    if not desk.message.in_group:
        raise Refused(texts.ONLY_IN_A_GROUP)
    return texts.BY_NAME[words]


async def _bound(tx: UnitOfWork) -> dict[str, list[str]]:
    found: dict[str, list[str]] | None = await tx.settings.get(SETTING)
    return found or {}


async def _save(
    desk: Desk, groups: Mapping[str, list[str]], before: Mapping[str, list[str]]
) -> None:
    at: datetime = desk.at
    await desk.tx.settings.put(SETTING, dict(groups), at)
    await desk.tx.audit.append(
        at=at,
        actor=f"person:{desk.rep.id}",
        action="bind_supply_group",
        subject="supply:groups",
        before=dict(before),
        after=dict(groups),
    )
