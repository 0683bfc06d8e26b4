"""`doctor`: is everything that Gendan stands on in order? One line a check, with its remedy.

What a check has to ask (a platform, the database, a URL) is handed in as a small callable, so
this package knows no connector and no storage. The usual mistakes: docs/operations.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial

from bot.clock import Clock
from config.doctor.applications import (
    address,
    agent,
    callback,
    card_template,
    clock,
    credentials,
    external_contacts,
    group_robot,
    leaves,
    link,
    permissions,
    quota,
    records,
    sign_in,
    stream,
)
from config.doctor.kinds import (
    Application,
    GroupRobots,
    Knocking,
    KnowsLeaves,
    Listening,
    Metered,
    Numbered,
    Robot,
    Templated,
)
from config.doctor.machine import (
    Room,
    configuration,
    connections,
    database,
    disk,
    files,
    schema,
)
from config.doctor.report import Check, Finding, NotRunning, examine, exit_code, lines
from config.doctor.running import (
    Look,
    Sample,
    archive_keys,
    dingtalk_refusals,
    evictions,
    wecom_refusals,
)
from config.doctor.services import (
    accounts,
    archive,
    inbox_stream,
    language_model,
    mailbox,
    object_store,
    papers,
    voice,
)
from config.settings import Settings

__all__ = [
    "Check",
    "Finding",
    "NotRunning",
    "Room",
    "Sample",
    "accounts",
    "address",
    "agent",
    "archive",
    "archive_keys",
    "callback",
    "card_template",
    "clock",
    "configuration",
    "connections",
    "credentials",
    "database",
    "dingtalk_refusals",
    "disk",
    "every_check",
    "evictions",
    "examine",
    "exit_code",
    "external_contacts",
    "files",
    "group_robot",
    "inbox_stream",
    "language_model",
    "leaves",
    "lines",
    "link",
    "mailbox",
    "object_store",
    "papers",
    "permissions",
    "quota",
    "records",
    "schema",
    "sign_in",
    "stream",
    "voice",
    "wecom_refusals",
]

_LABELS = {"wecom": "企业微信", "dingtalk": "钉钉"}
_NOBODY = "nobody"  # a wrong user id yields nothing, after the permission was looked at
_DOORS = {"wecom": ("",), "dingtalk": ("/robot", "/cards")}


def every_check(
    settings: Settings,
    applications: Sequence[Application],
    *,
    ask: Callable[[str], Awaitable[int]],
    write: Callable[[], Awaitable[object]],
    complaints: Callable[[], Awaitable[Sequence[str]]],
    room: Callable[[], Awaitable[Room | None]],
    hear: Callable[[], Awaitable[object]],
    scan: Callable[[], Awaitable[object]],
    ours: Clock,
    ask_model: Callable[[], Awaitable[object]] | None = None,
    erps: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    contacts: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    attendance: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    pages: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    robots: Sequence[Robot] = (),
    archives: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    mailboxes: Mapping[str, Callable[[], Awaitable[object]]] | None = None,
    look: Look | None = None,
    bucket: Callable[[], Awaitable[object]] | None = None,
    queue: Callable[[], Awaitable[str]] | None = None,
) -> list[Check]:
    """All there is to check; what each callable is for stands at the check that takes it."""
    found = [configuration(settings)]
    for one in applications:
        found += _of_application(one, settings.public_url, ask, ours)
    for robot in robots:
        found.append(_of_robot(robot, settings.public_url, ask))
    found += [archive(name, check) for name, check in (archives or {}).items()]
    if look is not None:
        found += _of_the_running(settings, look)
    if ask_model is not None:
        found.append(language_model(ask_model))
    found += [external_contacts(name, read) for name, read in (contacts or {}).items()]
    found += [records(name, read) for name, read in (attendance or {}).items()]
    found += [sign_in(name, settings.public_url, sign) for name, sign in (pages or {}).items()]
    found += [accounts(name, ask_erp) for name, ask_erp in (erps or {}).items()]
    found += [mailbox(name, check) for name, check in (mailboxes or {}).items()]
    found.append(voice(settings.speech.engine, hear))
    found.append(papers(settings.ocr.engine, scan))
    if bucket is not None:
        found.append(object_store(bucket))
    if queue is not None:
        found.append(inbox_stream(queue))
    folder = settings.storage.folder
    found += [database(write), schema(complaints), connections(room)]
    return [*found, files(folder), disk(folder)]


def _of_application(
    one: Application, public_url: str, ask: Callable[[str], Awaitable[int]], ours: Clock
) -> Iterator[Check]:
    label = f"{_LABELS[one.platform]} {one.app}"
    yield credentials(label, one.check_credentials)
    yield address(label, one.check_address)
    yield permissions(label, one.count_people)
    yield clock(label, one.platform_time, ours)
    if isinstance(one, Numbered):
        yield agent(label, one.check_agent, public_url)
    if isinstance(one, Templated):
        yield card_template(label, one.check_template if one.has_template else None)
    if isinstance(one, GroupRobots):
        for name in one.group_robots:
            yield group_robot(label, name, partial(one.check_group_robot, name))
    if isinstance(one, Listening) and one.is_streamed:
        yield stream(label, one.check_stream)
    else:
        for door in _DOORS[one.platform]:
            path = f"/{one.platform}/{one.app}{door}"
            knock = one.check_door if isinstance(one, Knocking) else None
            yield callback(f"{label} {door.strip('/')}".rstrip(), public_url, path, ask, knock)
    if isinstance(one, KnowsLeaves) and one.reads_leaves:
        yield leaves(label, lambda: one.read_leaves((_NOBODY,), at=ours.now()))
    if isinstance(one, Metered):
        yield quota(label, one.quota)


def _of_robot(robot: Robot, public_url: str, ask: Callable[[str], Awaitable[int]]) -> Check:
    label = f"企业微信智能机器人 {robot.app}"
    if not robot.is_called:
        return link(label, robot.check_link)
    knock = robot.check_door if isinstance(robot, Knocking) else None
    return callback(label, public_url, f"/wecom/{robot.app}/aibot", ask, knock)


def _of_the_running(settings: Settings, look: Look) -> Iterator[Check]:
    for name in settings.wecom_apps:
        yield wecom_refusals(f"企业微信 {name}", name, look)
    for name, robot in settings.aibots.items():
        label = f"企业微信智能机器人 {name}"
        if robot.mode == "http":
            yield wecom_refusals(label, name, look, is_robot=True)
        else:
            yield evictions(label, name, look)
    for name, ding in settings.dingtalk.items():
        if ding.mode == "http":
            doors = ("robot", "cards", "events") if ding.events_aes_key else ("robot", "cards")
            for door in doors:
                yield dingtalk_refusals(f"钉钉 {name}", name, door, look)
    for name in settings.archives:
        yield archive_keys(name, look)
