"""Every way to be let in by a NATS server that does not let everybody in, against a real one."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import nkeys
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from benchmarks.nats_server import NatsServer
from bot.clock import WallClock
from bot.errors import Unavailable
from connectors.queue.access import Access
from connectors.queue.inbox import look
from tests.connectors.queue.queue_bed import need_server

pytestmark = pytest.mark.nats

PASSWORD = "authorization { user: gendan, password: s3cret-word }"
TOKEN = "authorization { token: s3cret-word }"


@asynccontextmanager
async def running(folder: Path, more: str) -> AsyncIterator[Access]:
    need_server()
    server = NatsServer(folder, more=more)
    try:
        await server.start()
        yield Access(server.url)
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("more", "right"),
    [
        (PASSWORD, {"user": "gendan", "password": "s3cret-word"}),
        (TOKEN, {"token": "s3cret-word"}),
    ],
)
async def test_a_word_lets_in_and_is_never_told(
    tmp_path: Path, more: str, right: dict[str, str]
) -> None:
    async with running(tmp_path, more) as access:
        assert "可用" in await look(replace(access, **right))
        wrong = replace(access, **{key: text + "x" for key, text in right.items()})
        for stranger in (access, wrong):
            with pytest.raises(Unavailable) as told:
                await look(stranger)
            assert "s3cret" not in f"{told.value} {stranger!r}"


async def test_a_file_with_credentials_lets_in(tmp_path: Path) -> None:
    more, credentials = _decentralised(tmp_path)
    async with running(tmp_path, more) as access:
        assert "可用" in await look(replace(access, creds=credentials))
        with pytest.raises(Unavailable):
            await look(access)


async def test_a_private_authority_is_believed_only_where_it_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    more = f'tls {{ cert_file: "{cert}", key_file: "{key}" }}'
    async with running(tmp_path, more) as access:
        secure = replace(access, url=access.url.replace("nats://", "tls://"))
        assert "可用" in await look(replace(secure, ca=authority.file))
        with pytest.raises(Unavailable):
            await look(secure)


async def test_a_server_may_ask_for_our_certificate(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.issue("server")
    ours, our_key = authority.issue("client")
    told = f'cert_file: "{cert}", key_file: "{key}", ca_file: "{authority.file}", verify: true'
    async with running(tmp_path, f"tls {{ {told} }}") as access:
        known = replace(access, ca=authority.file)
        assert "可用" in await look(replace(known, cert=ours, key=our_key))
        with pytest.raises(Unavailable):
            await look(known)


class Authority:
    """Signs certificates for 127.0.0.1. file: its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("authority")
        self.file = folder / "ca.pem"
        made = self._draft("authority", self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self._write(self.file, made.sign(self._key, hashes.SHA256()))

    def issue(self, who: str) -> tuple[Path, Path]:
        """A certificate, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        made = self._draft(who, key).add_extension(address, critical=False)
        cert, secret = self._folder / f"{who}.pem", self._folder / f"{who}.key"
        self._write(cert, made.sign(self._key, hashes.SHA256()))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cert, secret

    def _draft(self, who: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = WallClock().now()
        return (
            x509.CertificateBuilder()
            .subject_name(_named(who))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    def _write(self, file: Path, made: x509.Certificate) -> None:
        file.write_bytes(made.public_bytes(serialization.Encoding.PEM))


def _named(who: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])


def _decentralised(folder: Path) -> tuple[str, Path]:
    """A server that knows an operator only, and the file of a user of one of its accounts; as
    `nsc` makes both."""
    operator, user = _pair(nkeys.PREFIX_BYTE_OPERATOR), _pair(nkeys.PREFIX_BYTE_USER)
    account, system = (_pair(nkeys.PREFIX_BYTE_ACCOUNT) for _ in range(2))
    no_limit = {"subs": -1, "data": -1, "payload": -1}
    unlimited = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    account_limits = no_limit | unlimited | {"conn": -1, "imports": -1, "exports": -1, "leaf": -1}
    told_operator = _signed(operator, operator, {"type": "operator"})
    told_account = _signed(operator, account, {"type": "account", "limits": account_limits})
    told_system = _signed(operator, system, {"type": "account", "limits": no_limit | {"conn": -1}})
    told_user = _signed(account, user, {"type": "user", **no_limit})
    credentials = folder / "gendan.creds"
    seed = bytes(user.seed).decode()
    credentials.write_text(
        f"-----BEGIN NATS USER JWT-----\n{told_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
    return (
        f"operator: {told_operator}\n"
        f"system_account: {system.public_key.decode()}\n"
        f"resolver: MEMORY\n"
        f"resolver_preload: {{ {account.public_key.decode()}: {told_account},"
        f" {system.public_key.decode()}: {told_system} }}\n"
    ), credentials


def _pair(kind: int) -> Any:
    signing = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    return nkeys.from_seed(nkeys.encode_seed(signing.to_bytes(32, "big"), kind))


def _signed(by: Any, about: Any, claims: dict[str, Any]) -> str:
    """A claim of NATS in its second version."""
    body = {
        "jti": "test",
        "iat": int(WallClock().now().timestamp()),
        "iss": by.public_key.decode(),
        "name": claims["type"],
        "sub": about.public_key.decode(),
        "nats": {"version": 2, **claims},
    }
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = ".".join(_base64(json.dumps(part).encode()) for part in (head, body))
    return f"{text}.{_base64(by.sign(text.encode()))}"


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
