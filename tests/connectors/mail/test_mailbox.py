"""The mailbox over TLS, as an administrator meets it first."""

from __future__ import annotations

import asyncio
import datetime as days
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.domain.mails import Ours
from bot.errors import Unavailable
from connectors.mail.heads import HeadReader
from connectors.mail.mailbox import Mailbox
from connectors.mail.session import MailAccess
from connectors.sandbox.imap import Account, ImapServer

NOW = datetime(2026, 1, 28, 7, tzinfo=UTC)


def certificate(folder: Path) -> ssl.SSLContext:
    """Signed by nobody but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - days.timedelta(days=1))
        .not_valid_after(NOW + days.timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def mailbox(port: int, tls: str) -> Mailbox:
    access = MailAccess(
        name="sales", host="127.0.0.1", port=port, tls=tls, user="a@ours.cn", password="code",
        folder="INBOX", timeout_s=3.0,
    )  # fmt: skip
    return Mailbox(access, HeadReader("sales", Ours()), deadline_s=5.0)


async def test_a_certificate_that_nobody_vouches_for(tmp_path: Path) -> None:
    server = ImapServer(lambda: NOW)
    await server.start(certificate(tmp_path))
    try:
        with pytest.raises(Unavailable, match=r"证书不可信.*请核对 host"):
            await mailbox(server.port, "tls").check()
    finally:
        await server.stop()


async def test_tls_where_the_server_speaks_none() -> None:
    server = ImapServer(lambda: NOW)
    server.accounts["a@ours.cn"] = Account("code")
    await server.start()
    try:
        with pytest.raises(Unavailable, match="请核对 port 和 tls"):
            await mailbox(server.port, "tls").check()
        await mailbox(server.port, "none").check()
    finally:
        await server.stop()


async def test_closing_wakes_who_waits_for_a_server_that_hangs() -> None:
    server = ImapServer(lambda: NOW)
    server.accounts["a@ours.cn"] = Account("code")
    await server.start()
    access = MailAccess(
        name="sales", host="127.0.0.1", port=server.port, tls="none", user="a@ours.cn",
        password="code", folder="INBOX", timeout_s=200.0,
    )  # fmt: skip
    box = Mailbox(access, HeadReader("sales", Ours()), deadline_s=200.0)
    try:
        await box.look(None, since=NOW.date(), at=NOW)
        server.faults.add("hang")
        hanging = asyncio.create_task(box.look(None, since=NOW.date(), at=NOW))
        await server.hanging.wait()
        await box.close()
        with pytest.raises(Unavailable):
            await hanging
    finally:
        await server.stop()
