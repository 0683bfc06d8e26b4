"""All checks of a configuration, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
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
from config.doctor.report import Check
from config.doctor.running import (
    Look,
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

Probe = Callable[[], Awaitable[object]]
"""Tries one thing that the configuration names. Raises BotError; its answer does not count."""

AskUrl = Callable[[str], Awaitable[int]]
"""Asks for a URL as a platform would; the HTTP status of the answer."""

_LABELS = {"wecom": "企业微信", "dingtalk": "钉钉"}
_NOBODY = "nobody"  # a wrong user id yields nothing, after the permission was looked at
_DOORS = {"wecom": ("",), "dingtalk": ("/robot", "/cards")}


@dataclass(frozen=True, slots=True)
class Probes:
    """How each thing beside the applications is tried; what a probe does in particular stands at
    the check that takes it. None, or no name: it is not configured, so there is no check of it."""

    ask: AskUrl
    write: Probe
    complaints: Callable[[], Awaitable[Sequence[str]]]
    room: Callable[[], Awaitable[Room | None]]
    hear: Probe
    scan: Probe
    ask_model: Probe | None = None
    look: Look | None = None
    bucket: Probe | None = None
    queue: Callable[[], Awaitable[str]] | None = None
    erps: Mapping[str, Probe] = field(default_factory=dict)
    contacts: Mapping[str, Probe] = field(default_factory=dict)
    attendance: Mapping[str, Probe] = field(default_factory=dict)
    pages: Mapping[str, Probe] = field(default_factory=dict)
    archives: Mapping[str, Probe] = field(default_factory=dict)
    mailboxes: Mapping[str, Probe] = field(default_factory=dict)


def every_check(
    settings: Settings,
    applications: Sequence[Application],
    probes: Probes,
    *,
    ours: Clock,
    robots: Sequence[Robot] = (),
) -> list[Check]:
    """All there is to check. ours: this machine's clock, to hold against the platforms'."""
    url, folder = settings.public_url, settings.storage.folder
    checks = [configuration(settings)]
    for application in applications:
        checks += _of_application(application, url, probes.ask, ours)
    checks += [_of_robot(robot, url, probes.ask) for robot in robots]
    checks += [archive(name, probe) for name, probe in probes.archives.items()]
    if probes.look is not None:
        checks += _of_the_running(settings, probes.look)
    if probes.ask_model is not None:
        checks.append(language_model(probes.ask_model))
    checks += [external_contacts(name, probe) for name, probe in probes.contacts.items()]
    checks += [records(name, probe) for name, probe in probes.attendance.items()]
    checks += [sign_in(name, url, probe) for name, probe in probes.pages.items()]
    checks += [accounts(name, probe) for name, probe in probes.erps.items()]
    checks += [mailbox(name, probe) for name, probe in probes.mailboxes.items()]
    checks.append(voice(settings.speech.engine, probes.hear))
    checks.append(papers(settings.ocr.engine, probes.scan))
    if probes.bucket is not None:
        checks.append(object_store(probes.bucket))
    if probes.queue is not None:
        checks.append(inbox_stream(probes.queue))
    checks += [database(probes.write), schema(probes.complaints), connections(probes.room)]
    return [*checks, files(folder), disk(folder)]


def _of_application(
    application: Application, public_url: str, ask: AskUrl, ours: Clock
) -> Iterator[Check]:
    label = f"{_LABELS[application.platform]} {application.app}"
    yield credentials(label, application.check_credentials)
    yield address(label, application.check_address)
    yield permissions(label, application.count_people)
    yield clock(label, application.platform_time, ours)
    if isinstance(application, Numbered):
        yield agent(label, application.check_agent, public_url)
    if isinstance(application, Templated):
        yield card_template(label, application.check_template if application.has_template else None)
    if isinstance(application, GroupRobots):
        for name in application.group_robots:
            yield group_robot(label, name, partial(application.check_group_robot, name))
    if isinstance(application, Listening) and application.is_streamed:
        yield stream(label, application.check_stream)
    else:
        for door in _DOORS[application.platform]:
            path = f"/{application.platform}/{application.app}{door}"
            knock = application.check_door if isinstance(application, Knocking) else None
            yield callback(f"{label} {door.strip('/')}".rstrip(), public_url, path, ask, knock)
    if isinstance(application, KnowsLeaves) and application.reads_leaves:
        yield leaves(label, lambda: application.read_leaves((_NOBODY,), at=ours.now()))
    if isinstance(application, Metered):
        yield quota(label, application.quota)


def _of_robot(robot: Robot, public_url: str, ask: AskUrl) -> Check:
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
