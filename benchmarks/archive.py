"""Backfill of a chat archive into customers' streams: fetched, decrypted (2048-bit RSA and AES for
each message), kept and entered. Figures are messages for each second of processor time, of the
bot's process and the worker's together, since the machine is shared."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import func, select

from benchmarks import company
from benchmarks.databases import KINDS, fresh
from bot.clock import FixedClock
from bot.domain.archive import Consent, Pair, Status
from connectors.http import Http
from connectors.sandbox.wecom_archive import seal, unseal
from connectors.tokens import OwnTokens
from connectors.wecom.archive.source import ArchiveAccess, ArchiveSource
from handlers.archive.bindings import ContactBindings
from handlers.archive.keeping import Keeping
from handlers.archive.reading import ArchiveReading
from speech.workers.worker import Worker
from storage.database import Database
from storage.tables import accounts, activities, archive_messages, contacts

MESSAGES = 6_000
CUSTOMERS = 300
PAGE = 200
BURST = 4
CORP = "wwbench"
NOW = datetime(2026, 11, 18, 2, 30, tzinfo=UTC)
WORDS = "样机今天到厂，麻烦安排人明天上午来调试，另外上次说的交期能不能再提前一周？"


class FileLibrary:
    """The emulated library with its pages in a file, so that only the bot's work is measured."""

    def __init__(
        self, library: str, corp_id: str, secret: str, proxy: str = "", password: str = ""
    ) -> None:
        del corp_id, secret, proxy, password
        self._messages = json.loads(Path(library).read_text())

    def get_chat_data(self, seq: int, limit: int, timeout_s: int) -> tuple[int, bytes]:
        del timeout_s
        page = self._messages[seq : seq + limit]
        return 0, json.dumps({"errcode": 0, "chatdata": page}).encode()

    def decrypt_data(self, key: str, message: str) -> tuple[int, bytes]:
        return 0, unseal(key, message)

    def get_media_data(self, mark: str, file_id: str, timeout_s: int) -> tuple[int, str, bytes]:
        raise NotImplementedError  # none of these messages has a file


def write_archive(file: Path, key: rsa.RSAPrivateKey) -> None:
    """Chats of every customer with its rep: BURST messages of one, then of the next, two in three
    of them from the customer."""
    public, messages = key.public_key(), []
    for number in range(MESSAGES):
        customer = number // BURST % CUSTOMERS + 1
        rep, outsider = f"user{company.owner_of(customer)}", outsider_of(customer)
        sender, to = (rep, outsider) if number % 3 == 0 else (outsider, rep)
        told = {
            "msgid": f"{number:032x}_external",
            "action": "send",
            "from": sender,
            "tolist": [to],
            "roomid": "",
            "msgtime": int((NOW - timedelta(seconds=MESSAGES - number)).timestamp() * 1000),
            "msgtype": "text",
            "text": {"content": f"{WORDS}（{number}）"},
        }
        sealed_key, body = seal(public, json.dumps(told, ensure_ascii=False).encode())
        messages.append(
            {
                "seq": number + 1,
                "msgid": told["msgid"],
                "publickey_ver": 1,
                "encrypt_random_key": sealed_key,
                "encrypt_chat_msg": body,
            }
        )
    file.write_text(json.dumps(messages))


def outsider_of(customer: int) -> str:
    return f"wmBench{customer:025}"


async def fill(database: Database) -> None:
    """Customers with a contact each, who agreed to the archive."""
    await company.hire(database)
    await company.put(database, accounts, company.customers(CUSTOMERS, NOW))
    rows = (
        {"account_id": n, "name": f"联系人{n}", "external_id": f"wecom:{outsider_of(n)}"}
        for n in range(1, CUSTOMERS + 1)
    )
    await company.put(database, contacts, rows)
    agreed = Consent(Status.AGREED, NOW - timedelta(days=30))
    pairs = [Pair(f"user{company.owner_of(n)}", outsider_of(n)) for n in range(1, CUSTOMERS + 1)]
    async with database.begin() as tx:
        await tx.archive_consents.put(CORP, [(pair, agreed) for pair in pairs], NOW)


async def backfill(database: Database, archive: Path, pem: str) -> tuple[float, float, float]:
    """Seconds of processor time of this process and of the worker, and by the clock."""
    access = ArchiveAccess(
        name="sales",
        corp_id=CORP,
        secret="bench",
        library=str(archive),
        adapter="benchmarks.archive:FileLibrary",
        keys={1: pem},
        page=PAGE,
    )
    worker, idle = (Worker("connectors.wecom.archive.child:load") for _ in range(2))
    async with aiohttp.ClientSession() as session:
        clock = FixedClock(NOW)
        source = ArchiveSource(
            access, worker, idle, Http(session), OwnTokens(),
            clock=clock, zone=ZoneInfo("Asia/Shanghai"),
        )  # fmt: skip
        keeping = Keeping(source, ContactBindings(), keeps_internal=False)
        reading = ArchiveReading(source, keeping, database.begin, clock, poll_s=3.0)
        await source.page(MESSAGES)  # the worker is there, and has its library and its key
        begun = (time.process_time(), _of_process(worker), time.perf_counter())
        count = await reading.catch_up()
        own, wall = time.process_time() - begun[0], time.perf_counter() - begun[2]
        its = _of_process(worker) - begun[1]
        await source.close()
    assert count == MESSAGES, count
    return own, its, wall


def _of_process(worker: Worker) -> float:
    """Seconds of processor time so far, from fields 14 and 15 of Linux's /proc/PID/stat."""
    assert worker._process is not None
    fields = Path(f"/proc/{worker._process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measure(kind: str, archive: Path, pem: str) -> None:
    async with fresh(kind) as database:
        await fill(database)
        own, worker, wall = await backfill(database, archive, pem)
        async with database.read() as tx:
            conn = tx.delivery._conn
            kept = await conn.scalar(select(func.count()).select_from(archive_messages))
            entered = await conn.scalar(select(func.count()).select_from(activities))
    assert kept == entered == MESSAGES, (kept, entered)
    rate = MESSAGES / (own + worker)
    print(
        f"   {kind}: {rate:,.0f} messages for each second of one core "
        f"(bot {own / MESSAGES * 1000:.3f} ms, worker {worker / MESSAGES * 1000:.3f} ms each); "
        f"{MESSAGES / wall:,.0f}/s by the clock"
    )


def rsa_alone(key: rsa.RSAPrivateKey) -> float:
    """Milliseconds of processor time for one decryption, now: it says how fast the core is."""
    sealed = [base64.b64decode(seal(key.public_key(), b"")[0]) for _ in range(500)]
    begun = time.process_time()
    for one in sealed:
        key.decrypt(one, padding.PKCS1v15())
    return (time.process_time() - begun) / len(sealed) * 1000


async def main() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive.json"
        write_archive(archive, key)
        for kind in KINDS:
            print(f"   RSA alone: {rsa_alone(key):.3f} ms")
            await measure(kind, archive, pem)
