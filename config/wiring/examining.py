"""What `doctor` looks at: everything that the configuration names, tried once."""

from __future__ import annotations

from functools import partial
from zoneinfo import ZoneInfo

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bot.clock import Clock
from bot.errors import PermanentError, TransientError
from config import doctor
from config.policy import load_policy
from config.settings import Settings
from config.wiring.erps import erp_checks
from config.wiring.outside import Outside, reach
from config.wiring.queue import queue_access
from config.wiring.stores import database_url
from connectors import platforms
from connectors.http import Http
from connectors.queue.inbox import look as look_at_queue
from connectors.tokens import OwnTokens
from connectors.web import server
from connectors.wecom.aibot_client import AibotClient
from storage import admin, beside, connections


async def examined(settings: Settings, *, ours: Clock) -> list[tuple[doctor.Check, doctor.Finding]]:
    """What the doctor finds; ours: this machine's clock."""
    zone = ZoneInfo(load_policy(settings.policy).calendar.zone)
    async with aiohttp.ClientSession() as session:
        outside = reach(
            settings,
            Http(session),
            tokens=OwnTokens(),
            counter=beside.Counts(database_url(settings)),
            clock=ours,
            zone=zone,
        )
        results = await doctor.examine(_checks(settings, outside, ours))
        await outside.voice.close()
        for archive in outside.archives.values():
            await archive.close()
        if outside.scanner is not None:
            await outside.scanner.close()
    return results


def _checks(settings: Settings, outside: Outside, ours: Clock) -> list[doctor.Check]:
    url, http, clients = database_url(settings), outside.http, outside.clients

    async def ask(callback_url: str) -> int:
        return (await http.probe(callback_url, what="doctor:callback"))[0]

    probes = doctor.Probes(
        ask=ask,
        write=lambda: beside.write(url, at=ours.now()),
        complaints=lambda: admin.complaints(url),
        room=lambda: connections.room(url),
        hear=outside.voice.check,
        scan=outside.scanner.check if outside.scanner else _nothing,
        ask_model=outside.model.check if outside.model else None,
        look=partial(_figures_of_the_running, http, settings),
        bucket=outside.files.check if settings.storage.bucket else None,
        queue=partial(look_at_queue, access) if (access := queue_access(settings)) else None,
        erps=erp_checks(outside.erps, ours.now()),
        contacts={
            f"{source.platform} {source.app}": source.check
            for source in platforms.contact_sources(clients)
        },
        attendance=platforms.attendance_checks(clients),
        pages={
            f"{client.platform} {client.app}": client.check
            for client in platforms.webviews(clients)
        },
        archives={name: archive.check for name, archive in outside.archives.items()},
        mailboxes={name: mailbox.check for name, mailbox in outside.mailboxes.items()},
    )
    applications = list(platforms.applications(clients).values())
    robots = [client for client in clients.values() if isinstance(client, AibotClient)]
    return doctor.every_check(settings, applications, probes, ours=ours, robots=robots)


async def _figures_of_the_running(http: Http, settings: Settings) -> list[doctor.Sample]:
    """What the bot that serves with this configuration on this machine has counted. Raises
    NotRunning."""
    url = f"{server.url_of(settings.host, settings.port)}/metrics"
    try:
        text, _ = await http.download(url, limit_bytes=4 * 1024 * 1024, what="doctor:metrics")
    except (TransientError, PermanentError):
        raise doctor.NotRunning from None
    families = text_string_to_metric_families(text.decode())
    samples = (sample for family in families for sample in family.samples)
    return [doctor.Sample(one.name, one.labels, one.value) for one in samples]


async def _nothing() -> None:
    """No engine is configured, so there is none to try."""
