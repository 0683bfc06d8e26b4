"""`doctor`: is everything that Gendan stands on in order? One line a check, with its remedy.

What a check has to ask (a platform, the database, a URL) is handed in as a small callable, so
this package knows no connector and no storage. The usual mistakes: docs/operations.md.
"""

from __future__ import annotations

from config.doctor.applications import (
    address,
    callback,
    clock,
    credentials,
    external_contacts,
    link,
    permissions,
    records,
    sign_in,
)
from config.doctor.everything import Probes, every_check
from config.doctor.machine import (
    configuration,
    connections,
    database,
    disk,
    schema,
)
from config.doctor.report import Check, Finding, NotRunning, examine, exit_code, lines
from config.doctor.running import Sample
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

__all__ = [
    "Check",
    "Finding",
    "NotRunning",
    "Probes",
    "Sample",
    "accounts",
    "address",
    "archive",
    "callback",
    "clock",
    "configuration",
    "connections",
    "credentials",
    "database",
    "disk",
    "every_check",
    "examine",
    "exit_code",
    "external_contacts",
    "inbox_stream",
    "language_model",
    "lines",
    "link",
    "mailbox",
    "object_store",
    "papers",
    "permissions",
    "records",
    "schema",
    "sign_in",
    "voice",
]
