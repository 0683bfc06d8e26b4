"""All that a bot reaches outside itself, of what the configuration names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.ports import CallCounter, TokenStore
from config.settings import Settings
from config.wiring.archives import archive_sources
from config.wiring.erps import erps_of
from config.wiring.mailboxes import mailboxes_of
from config.wiring.stores import kept_files
from connectors import platforms
from connectors.dingtalk.settings import DingtalkApp
from connectors.erp.catalogue import Erps
from connectors.http import Http
from connectors.llm.client import LanguageModelClient
from connectors.mail.mailbox import Mailbox
from connectors.platforms import Clients
from connectors.wecom.aibot_link import AibotLink
from connectors.wecom.aibot_socket import SocketWay
from connectors.wecom.archive.source import ArchiveSource
from connectors.wecom.client import MenuEntry
from connectors.wecom.settings import Aibot, WecomApp
from handlers.commands import MENU_WORDS
from speech.ocr.scanner import Scanner
from speech.voice import Choice, Voice
from storage.kept_files import KeptFiles

MENU = [MenuEntry(MENU_WORDS[key], key=key) for key in ("todo", "lights", "help")]


@dataclass(frozen=True, slots=True)
class Outside:
    """Everything outside that this configuration reaches. links: the connections that robots keep
    open. archives, mailboxes: by their names. scanner, model: None where none is configured."""

    apps: platforms.Apps
    http: Http
    files: KeptFiles
    clients: Clients
    links: Mapping[AibotLink, SocketWay]
    erps: Erps
    archives: Mapping[str, ArchiveSource]
    mailboxes: Mapping[str, Mailbox]
    voice: Voice
    scanner: Scanner | None
    model: LanguageModelClient | None


def reach(
    settings: Settings,
    http: Http,
    *,
    tokens: TokenStore,
    counter: CallCounter,
    clock: Clock,
    zone: ZoneInfo,
    holds: Callable[[], Awaitable[bool]] | None = None,
) -> Outside:
    """Nothing is called yet. holds: whether this process may have the connections of which there
    must be one; None: it need not ask."""
    files, apps = kept_files(settings), apps_of(settings)
    clients = platforms.clients(apps, http, tokens, counter, files, clock=clock, menu=MENU)
    links = platforms.add_robots(clients, apps, http, files, clock=clock, holds=holds)
    return Outside(
        apps=apps,
        http=http,
        files=files,
        clients=clients,
        links=links,
        erps=erps_of(settings, http, clock, zone),
        archives=archive_sources(settings, http, tokens, clock, zone),
        mailboxes=mailboxes_of(settings),
        voice=Voice(Choice(**settings.speech.revealed()), http),
        scanner=_scanner(settings),
        model=_language_model(settings, http, clock),
    )


def apps_of(settings: Settings) -> platforms.Apps:
    """The applications of both platforms, as their connectors want them."""
    home: dict[str, Any] = {"card_url": settings.public_url} if settings.public_url else {}
    return platforms.Apps(
        wecom=tuple(
            WecomApp(name=n, **one.revealed(), **home) for n, one in settings.wecom_apps.items()
        ),
        robots=tuple(
            (Aibot(name=n, **one.revealed(), **home), str(settings.application_of(one)))
            for n, one in settings.aibots.items()
        ),
        dingtalk=tuple(
            DingtalkApp(name=n, **one.revealed()) for n, one in settings.dingtalk.items()
        ),
    )


def _scanner(settings: Settings) -> Scanner | None:
    """None: contracts on paper are kept and not read."""
    given = settings.ocr
    if given.engine == "none":
        return None
    return Scanner(threads=given.threads, timeout_s=given.timeout_s)


def _language_model(settings: Settings, http: Http, clock: Clock) -> LanguageModelClient | None:
    """None unless one is switched on: the rules read alone."""
    given = settings.llm.revealed()
    enabled = given.pop("enabled")
    return LanguageModelClient(http, **given, clock=clock) if enabled else None
