"""The configured applications of both platforms: their clients, connections and doors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from bot.clock import Clock
from bot.messages import Address
from bot.ports import Accept, AppKey, CallCounter, FileStore, TokenStore
from connectors.dingtalk import webhook as dingtalk_door
from connectors.dingtalk.approvals import Instances
from connectors.dingtalk.client import DingtalkClient
from connectors.dingtalk.contacts import Contacts as DingtalkContacts
from connectors.dingtalk.records import Attendance, SignIns
from connectors.dingtalk.settings import DingtalkApp
from connectors.dingtalk.stream.listening import Stream
from connectors.dingtalk.webview import Webview as DingtalkWebview
from connectors.http import Http
from connectors.wecom import aibot_door
from connectors.wecom import webhook as wecom_door
from connectors.wecom.aibot_client import AibotClient
from connectors.wecom.aibot_http import HttpWay
from connectors.wecom.aibot_link import AibotLink
from connectors.wecom.aibot_replies import Replies
from connectors.wecom.aibot_socket import SocketWay
from connectors.wecom.approval_bills import Bills
from connectors.wecom.checkins import CheckIns
from connectors.wecom.client import MenuEntry, WecomClient
from connectors.wecom.contacts import Contacts as WecomContacts
from connectors.wecom.settings import Aibot, WecomApp
from connectors.wecom.webview import Webview as WecomWebview

Application = WecomClient | DingtalkClient
Clients = dict[AppKey, WecomClient | DingtalkClient | AibotClient]


@dataclass(frozen=True, slots=True)
class Apps:
    """All applications that are configured. robots: of WeCom, each with the name of the application
    that speaks where it cannot."""

    wecom: tuple[WecomApp, ...]
    robots: tuple[tuple[Aibot, str], ...]
    dingtalk: tuple[DingtalkApp, ...]


def clients(
    apps: Apps,
    http: Http,
    tokens: TokenStore,
    counter: CallCounter,
    files: FileStore,
    *,
    clock: Clock,
    menu: Sequence[MenuEntry],
) -> Clients:
    """Of the applications; the robots are added by `add_robots`."""
    found: Clients = {}
    for app in apps.wecom:
        found["wecom", app.name] = WecomClient(app, http, tokens, files, clock, menu=menu)
    for ding in apps.dingtalk:
        found["dingtalk", ding.name] = DingtalkClient(
            ding, http, tokens=tokens, files=files, counter=counter, clock=clock
        )
    return found


def applications(clients: Clients) -> dict[AppKey, Application]:
    """Those that know who works there and may push; a robot only answers."""
    return {key: one for key, one in clients.items() if not isinstance(one, AibotClient)}


def contact_sources(clients: Clients) -> list[WecomContacts | DingtalkContacts]:
    """The applications that the configuration lets read external contacts."""
    found: list[WecomContacts | DingtalkContacts] = []
    for one in applications(clients).values():
        found += [one.contacts] if one.contacts is not None else []
    return found


def webviews(clients: Clients) -> list[WecomWebview | DingtalkWebview]:
    """Of the applications by which people sign in to pages."""
    found: list[WecomWebview | DingtalkWebview] = []
    for one in applications(clients).values():
        found += [one.webview] if one.webview is not None else []
    return found


def approval_sources(clients: Clients) -> list[Bills | Instances]:
    """The applications whose templates the configuration gives a meaning."""
    found: list[Bills | Instances] = []
    for one in applications(clients).values():
        found += [one.approvals] if one.approvals is not None else []
    return found


def record_sources(clients: Clients) -> list[CheckIns | Attendance | SignIns]:
    """The applications that the configuration lets read attendance; of DingTalk two each."""
    found: list[CheckIns | Attendance | SignIns] = []
    for one in applications(clients).values():
        if isinstance(one, DingtalkClient):
            found += one.records
        elif one.check_ins is not None:
            found.append(one.check_ins)
    return found


def attendance_checks(clients: Clients) -> dict[str, Callable[[], Awaitable[object]]]:
    """For the doctor: a little of what is read of approvals and attendance, by what it is."""
    checks: dict[str, Callable[[], Awaitable[object]]] = {
        f"{one.platform} {one.app} 审批": one.check for one in approval_sources(clients)
    }
    for one in record_sources(clients):
        name = "签到" if isinstance(one, SignIns) else "打卡考勤"
        checks[f"{one.platform} {one.app} {name}"] = one.check
    return checks


def readers(clients: Clients) -> dict[AppKey, DingtalkClient]:
    """The applications whose platform tells who has read a message."""
    return {key: one for key, one in clients.items() if isinstance(one, DingtalkClient)}


def group_makers(clients: Clients) -> dict[AppKey, Application]:
    """The applications that may make groups."""
    return {key: one for key, one in applications(clients).items() if one.makes_groups}


def add_robots(
    clients: Clients,
    apps: Apps,
    http: Http,
    files: FileStore,
    *,
    clock: Clock,
    holds: Callable[[], Awaitable[bool]] | None,
) -> dict[AibotLink, SocketWay]:
    """Each beside its application; the connections of those that keep one open. holds: whether
    this process may have them; None: it need not ask."""
    links: dict[AibotLink, SocketWay] = {}
    for robot, application in apps.robots:
        replies = Replies(clock)
        way: HttpWay | SocketWay = HttpWay(robot, replies, http)
        if not robot.is_called:
            link = AibotLink(robot, http, clock, may_open=holds)
            way = links[link] = SocketWay(robot, link, files, clock)
        clients["wecom", robot.name] = AibotClient(
            robot, way, replies, http, clock, application=clients["wecom", application]
        )
    return links


def streams(apps: Apps, http: Http, accept: Accept, clock: Clock) -> list[Stream]:
    """Of the applications that are not called but keep connections open."""
    return [Stream(app, http, accept, clock) for app in apps.dingtalk if app.is_streamed]


def short(clients: Clients) -> Callable[[Address], bool]:
    """Where the month's calls are nearly used up."""

    def is_short(to: Address) -> bool:
        client = clients.get((to.platform, to.app))
        return isinstance(client, DingtalkClient) and client.spares_digests

    return is_short


def doors(
    apps: Apps,
    clients: Clients,
    accept: Accept,
    clock: Clock,
    *,
    is_at_work: Callable[[str], bool],
    also_fresh_by: Sequence[Clock],
    is_home: Callable[[], bool],
) -> list[web.RouteDef]:
    """Every route that a platform calls. is_home: whether robots are answered by this process."""
    routes: list[web.RouteDef] = []
    for app in apps.wecom:
        routes += wecom_door.routes(app, accept, clock, also_fresh_by=also_fresh_by)
    for client in clients.values():
        if isinstance(client, AibotClient) and client.robot.is_called:
            routes += aibot_door.routes(
                client.robot, client.replies, accept, clock,
                is_at_work=is_at_work, also_fresh_by=also_fresh_by, is_home=is_home,
            )  # fmt: skip
    for ding in apps.dingtalk:
        routes += dingtalk_door.routes(ding, accept, [clock, *also_fresh_by])
    return routes
