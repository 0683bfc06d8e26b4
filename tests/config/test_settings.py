"""Settings as an operator gives them: a file, environment variables, files with secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.policy import ConfigError
from config.settings import (
    DingtalkSettings,
    Settings,
    SpeechSettings,
    WecomSettings,
    load_engines,
    load_settings,
)
from connectors.dingtalk.settings import DingtalkApp
from connectors.wecom.archive.source import ArchiveAccess
from connectors.wecom.settings import Aibot, WecomApp
from storage.kept_files import Bucket

AES_KEY = "a" * 43
SALES = f"""
[wecom.sales]
corp_id = "ww1"
agent_id = 1000002
secret = "geheim"
token = "tok"
aes_key = "{AES_KEY}"
"""

Write = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _in_a_folder_without_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "gendan.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def mistakes(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return str(caught.value).splitlines()


def test_without_file_and_environment_the_defaults_hold() -> None:
    settings = load_settings()
    assert (settings.port, settings.log_level, settings.configured) == (8080, "INFO", False)
    assert settings.policy.exists()
    assert (settings.actions / "manufacturing.toml").exists()


def test_the_file_in_the_working_directory_is_read(write: Write) -> None:
    write("port = 9000")
    assert load_settings().port == 9000


def test_the_file_may_be_named_by_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write("port = 9000")
    other = tmp_path / "other.toml"
    other.write_text("port = 9001")
    monkeypatch.setenv("GENDAN_CONFIG", str(other))
    assert load_settings().port == 9001


def test_a_variable_adds_the_secret_to_the_table_of_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_WECOM__SALES__SECRET", "from-env")
    app = load_settings(write(SALES.replace('secret = "geheim"\n', ""))).wecom["sales"]
    assert app.secret.get_secret_value() == "from-env"
    assert (app.corp_id, app.agent_id) == ("ww1", 1000002)


@pytest.mark.parametrize("name", ["east-china", "east_china"])
def test_a_variable_finds_an_application_whose_name_has_two_words(
    name: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_WECOM__EAST_CHINA__SECRET", "from-env")
    settings = load_settings(write(SALES.replace("sales", name)))
    assert list(settings.wecom) == [name]
    assert settings.wecom[name].secret.get_secret_value() == "from-env"


def test_an_application_may_be_given_by_variables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {
        "CORP_ID": "ding1",
        "CLIENT_ID": "cid",
        "CLIENT_SECRET": "geheim",
        "WEBHOOKS__WAR_ROOM": "tok:SEC1",
        "ALLOWED_HOSTS": "a.example.com, b.example.com",
    }.items():
        monkeypatch.setenv(f"GENDAN_DINGTALK__SALES__{key}", value)
    monkeypatch.setenv("GENDAN_ADMINS", "dingtalk:0147001,wecom:zhaoqian")
    settings = load_settings()
    app = settings.dingtalk["sales"]
    assert app.allowed_hosts == ("a.example.com", "b.example.com")
    assert app.webhooks["war_room"].get_secret_value() == "tok:SEC1"
    assert settings.admins == ("dingtalk:0147001", "wecom:zhaoqian")


def test_the_environment_goes_before_the_file_in_either_form(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(SALES.replace('secret = "geheim"', 'secret_file = "not-there"'))
    monkeypatch.setenv("GENDAN_WECOM__SALES__SECRET", "from-env")
    assert load_settings(path).wecom["sales"].secret.get_secret_value() == "from-env"


def test_an_empty_variable_counts_as_absent(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENDAN_WECOM__SALES__SECRET", "")
    monkeypatch.setenv("GENDAN_CONFIG", "")
    app = load_settings(write(SALES)).wecom["sales"]
    assert app.secret.get_secret_value() == "geheim"


def test_a_secret_is_read_from_its_file_without_the_newline(write: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    path = write(SALES.replace('secret = "geheim"', f'secret_file = "{tmp_path / "secret"}"'))
    assert load_settings(path).wecom["sales"].secret.get_secret_value() == "from-file"


def test_a_secret_file_may_be_named_by_a_variable(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text("postgresql+asyncpg://u:p@h/d")
    monkeypatch.setenv("GENDAN_STORAGE__URL_FILE", str(tmp_path / "url"))
    url = load_settings(write(SALES)).storage.url.get_secret_value()
    assert url == "postgresql+asyncpg://u:p@h/d"


def test_files_lie_in_a_folder_or_in_a_bucket(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load_settings(write(SALES)).storage
    assert (plain.files, plain.bucket) == (Path("data/files"), None)
    assert plain.folder == Path("data/files/coming")
    keys = '[storage]\nfiles = "s3://gendan/a/b/"\n[storage.s3]\naccess_key = "ak"\nby_host = true'
    monkeypatch.setenv("GENDAN_STORAGE__S3__SECRET_KEY", "geheimnis")
    settings = load_settings(write(f"{SALES}\n{keys}"))
    assert settings.storage.bucket is not None
    bucket = Bucket(**settings.storage.bucket)
    assert (bucket.name, bucket.prefix, bucket.by_host) == ("gendan", "a/b/", True)
    assert (bucket.access_key, bucket.secret_key) == ("ak", "geheimnis")
    assert settings.storage.folder == Path("data/coming")
    assert "geheimnis" not in f"{settings!r} {bucket!r}"
    monkeypatch.setenv("GENDAN_STORAGE__FILES", "/srv/files")
    assert load_settings(write(f"{SALES}\n{keys}")).storage.bucket is None


def test_the_settings_of_the_sandbox_ignore_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENDAN_PORT", "9000")
    monkeypatch.setenv("GENDAN_WECOM__SALES__SECRET", "the real one")
    settings = Settings.model_validate({"host": "127.0.0.1"})
    assert (settings.port, settings.wecom) == (8080, {})


def test_no_secret_shows_in_the_printed_settings(write: Write) -> None:
    shown = repr(load_settings(write(SALES)))
    assert "geheim" not in shown
    assert AES_KEY not in shown


def test_a_section_reveals_what_a_connector_needs() -> None:
    wecom = WecomSettings.model_validate(
        {"corp_id": "ww1", "agent_id": 1, "secret": "s", "token": "t", "aes_key": AES_KEY,
         "base_url": "https://proxy.example.com/", "webhooks": {"east": "k"}}
    )  # fmt: skip
    assert wecom.revealed() == {
        "corp_id": "ww1", "agent_id": 1, "secret": "s", "token": "t", "aes_key": AES_KEY,
        "base_url": "https://proxy.example.com", "menu": True, "leaves": False, "contacts": False,
        "pages": False, "open_url": "https://open.weixin.qq.com",
        "jssdk_url": "https://wwcdn.weixin.qq.com/node/open/js/wecom-jssdk-2.0.2.js",
        "webhooks": {"east": "k"},
        "approvals": {}, "checkins": False, "group_chats": False,
    }  # fmt: skip


def test_what_a_section_reveals_fits_its_connector() -> None:
    wecom = {"corp_id": "ww1", "agent_id": 1, "secret": "s", "token": "t", "aes_key": AES_KEY}
    dingtalk = {"corp_id": "d", "client_id": "c", "client_secret": "s", "webhooks": {"a": "t:SEC"}}
    app = WecomApp(name="sales", **WecomSettings.model_validate(wecom).revealed())
    robot = DingtalkApp(name="sales", **DingtalkSettings.model_validate(dingtalk).revealed())
    assert (app.secret, robot.robot_code, robot.webhooks["a"]) == ("s", "c", ("t", "SEC"))


def test_a_dingtalk_group_robot_is_revealed_as_token_and_secret() -> None:
    given = {"corp_id": "d", "client_id": "c", "client_secret": "s",
             "webhooks": {"a": "tok:SEC1", "b": "tok"}}  # fmt: skip
    revealed = DingtalkSettings.model_validate(given).revealed()
    assert revealed["webhooks"] == {"a": ("tok", "SEC1"), "b": ("tok", "")}
    assert revealed["client_secret"] == "s"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "prot：没有这个键 (unknown key)，在 {path}；是不是 port？"),
        ("port = 70000", "port：应为 0 到 65535 的整数"),
        ('public_url = "gendan.example.com"', "public_url：应为 http(s):// 开头"),
        ('admins = ["zhaoqian"]', 'admins[0]：应为 像 "wecom:zhaoqian" 的列表'),
        ('log_level = "LOUD"', "log_level：应为 DEBUG、INFO、WARNING 或 ERROR"),
        ('[storage]\nfiles = "s3://"', "storage.files：应为 文件夹，或 s3://桶/前缀"),
        ('[storage]\nfiles = "s3:/gendan/a"', "storage.files：应为 文件夹，或 s3://桶/前缀"),
        ("[storage]\nfiles = 7", "storage.files：应为 文件夹，或 s3://桶/前缀"),
        ('[storage.s3]\naccess_key = "a"', "storage.s3.secret_key：与 access_key 要么都写"),
        ('[storage.s3]\nendpoint = "minio:9000"', "storage.s3.endpoint：应为 http(s):// 开头"),
        ('[storage]\nurl = "mysql://u:geheim@h/d"', "storage.url：应为 sqlite:///"),
        (
            '[dingtalk.a]\ncorp_id="d"\nclient_id="c"\nclient_secret="s"\nmode = "push"',
            "dingtalk.a.mode：应为 http 或 stream",
        ),
        (
            '[dingtalk.a]\ncorp_id="d"\nclient_id="c"\nclient_secret="s"\nconnections = 9',
            "dingtalk.a.connections：应为 1 到 4 的整数",
        ),
        ("[llm]\nenabled = true", "llm.enabled：要同时写 base_url 和 model"),
        ('[llm]\nbase_url = "llm.example.com"', "llm.base_url：应为 http(s):// 开头"),
        ("[llm]\ntimeout_s = 0", "llm.timeout_s：应为 大于 0、至多 20 的秒数"),
        ('[llm]\nmodle = "m"', "是不是 model？"),
        ('[wecom]\ncorp_id = "ww1"', "wecom.corp_id：应为一个表 (a table)，如 [wecom.sales]"),
        (SALES.replace("sales", '"Sales!"'), "wecom.Sales!：应用名应为小写字母开头"),
        (SALES.replace(AES_KEY, "geheim"), "wecom.sales.aes_key：应为 43 位字母和数字"),
        (SALES.replace("secret", "secrte"), "是不是 secret？"),
        (SALES + 'webhooks.a = "https://x/?key=geheim"', "wecom.sales.webhooks.a：应为 群机器人"),
        (SALES + 'secret_file = "x"', "wecom.sales.secret_file：与 secret 只能写一个"),
    ],
)
def test_a_mistake_is_told_with_key_place_and_what_it_should_be(
    text: str, said: str, write: Write
) -> None:
    path = write(text)
    told = mistakes(path)
    assert any(said.format(path=path) in line for line in told), told
    assert all(str(path) in line for line in told)
    assert "geheim" not in "".join(told)


def test_several_mistakes_are_told_one_a_line(write: Write) -> None:
    assert len(mistakes(write('port = "x"\nhots = 1\nlog_level = 3'))) == 3


def test_a_missing_secret_names_all_ways_to_give_it(write: Write) -> None:
    path = write(SALES.replace('secret = "geheim"\n', ""))
    assert mistakes(path) == [
        f"wecom.sales.secret：必填 (required)，写在 {path} 或环境变量 "
        "GENDAN_WECOM__SALES__SECRET，或用 secret_file 指向文件"
    ]


def test_a_wrong_variable_is_blamed_and_not_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("GENDAN_WECOM__SALES__AGENT_ID", "geheim")
    told = mistakes(write(SALES))
    assert told[0].endswith("在 环境变量 GENDAN_PORT")
    assert told[1].endswith("在 环境变量 GENDAN_WECOM__SALES__AGENT_ID")


def test_single_underscores_between_layers_are_explained(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_WECOM_SALES_SECRET", "geheim")
    (told,) = mistakes(write(SALES))
    assert "GENDAN_WECOM_SALES_SECRET；各层之间是两个下划线" in told


def test_a_variable_that_is_both_a_value_and_a_table_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_STORAGE", "x")
    monkeypatch.setenv("GENDAN_STORAGE__FILES", "y")
    (told,) = mistakes(write(SALES))
    assert "GENDAN_STORAGE__FILES" in told


@pytest.mark.parametrize("content", [None, "\n", b"\xff\xfe"])
def test_an_unusable_secret_file_is_named(
    content: str | bytes | None, write: Write, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    (told,) = mistakes(write(SALES.replace('secret = "geheim"', f'secret_file = "{file}"')))
    assert told.startswith("wecom.sales.secret_file：文件")


def test_events_need_token_and_key(write: Write) -> None:
    text = '[dingtalk.a]\ncorp_id="d"\nclient_id="c"\nclient_secret="s"\nevents_token="t"'
    (told,) = mistakes(write(text))
    assert told.startswith("dingtalk.a.events_token：与 events_aes_key")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"port = ", "不是有效的 TOML"), (b"# \xff", "不是 UTF-8"), (None, "读不到")],
)
def test_an_unreadable_file_is_named(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "gendan.toml"
    if content is not None:
        path.write_bytes(content)
    (told,) = mistakes(path)
    assert told.startswith(str(path))
    assert said in told


@pytest.mark.parametrize(
    ("speech", "line"),
    [
        ('engine = "siri"', "speech.engine：应为 none、sherpa、whisper 或 openai"),
        ('engine = "sherpa"', 'speech.folder：engine = "sherpa" 时必填'),
        ('engine = "openai"\nmodel = "m"', 'speech.base_url：engine = "openai" 时必填'),
        ('engine = "openai"\nbase_url = "asr"\nmodel = "m"', "speech.base_url：应为 http(s)://"),
        ('engin = "none"', "speech.engin：没有这个键 (unknown key)"),
        ("threads = 0", "speech.threads：应为 正整数"),
    ],
)
def test_a_mistake_about_the_engine_is_one_line(write: Write, speech: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(f"[speech]\n{speech}"))
    assert str(caught.value).startswith(line)


def test_the_sandbox_takes_the_engines_and_nothing_else(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENDAN_SPEECH__API_KEY", "geheim")
    monkeypatch.setenv("GENDAN_NO_SUCH_KEY", "1")
    path = write(
        'port = "wrong"\n[speech]\nengine = "openai"\nbase_url = "http://a/v1/"\nmodel = "m"'
    )
    speech = load_engines(path)["speech"]
    assert isinstance(speech, SpeechSettings)
    assert (speech.engine, speech.base_url) == ("openai", "http://a/v1")
    assert speech.api_key.get_secret_value() == "geheim"
    monkeypatch.delenv("GENDAN_SPEECH__API_KEY")
    monkeypatch.chdir(tmp_path / "..")
    assert load_engines()["speech"] == SpeechSettings()


@pytest.mark.parametrize(
    ("erp", "line"),
    [
        ('kind = "sap"', "erp.books.kind：应为 kingdee、u9c、folder 或 push"),
        ("", "erp.books.kind：必填"),
        ('kind = "push"', 'erp.books.notice_secret：kind = "push" 时必填'),
        ('kind = "push"\nnotice_secret = "short"', "erp.books.notice_secret：至少 16 位"),
        ('kind = "folder"', 'erp.books.folder：kind = "folder" 时必填'),
        ('kind = "u9c"', 'erp.books.base_url：kind = "u9c" 时必填'),
        ('kind = "kingdee"', 'erp.books.base_url：kind = "kingdee" 时必填'),
        (
            'kind = "folder"\nfolder = "a"\nreceipts = {contact = "F"}',
            "erp.books.receipts.contact：没有这个键 (unknown key)",
        ),
        (
            'kind = "folder"\nfolder = "a"\nrefunds = {contact = "F"}',
            "erp.books.refunds.contact：没有这个键 (unknown key)",
        ),
    ],
)
def test_a_mistake_about_an_erp_is_one_line(write: Write, erp: str, line: str) -> None:
    (told,) = mistakes(write(f"[erp.books]\n{erp}"))
    assert told.startswith(line)


def test_an_erps_secret_may_come_from_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENDAN_ERP__EAST_BOOKS__NOTICE_SECRET", "a-secret-of-the-books")
    settings = load_settings(write('[erp.east-books]\nkind = "push"'))
    erp = settings.erp["east-books"]
    assert erp.notice_secret.get_secret_value() == "a-secret-of-the-books"
    assert "a-secret-of-the-books" not in repr(settings)


ROBOT = f'''
[wecom.helper]
kind = "aibot"
token = "t"
aes_key = "{AES_KEY}"
'''


def test_a_robot_stands_beside_its_application(write: Callable[[str], Path]) -> None:
    settings = load_settings(write(SALES + ROBOT))
    assert (list(settings.wecom_apps), list(settings.aibots)) == (["sales"], ["helper"])
    robot = settings.aibots["helper"]
    assert settings.application_of(robot) == "sales"
    assert Aibot(name="helper", **robot.revealed()).token == "t"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SALES + ROBOT.replace('token = "t"', 'token = ""'),
            'wecom.helper.token：mode = "http" 时必填',
        ),
        (SALES + ROBOT + 'mode = "websocket"', 'wecom.helper.bot_id：mode = "websocket" 时必填'),
        (SALES + ROBOT + 'mode = "smoke"', "wecom.helper.mode：应为 http 或 websocket"),
        (SALES + ROBOT + "corp_id = 'x'", "wecom.helper.corp_id：没有这个键"),
        (SALES + ROBOT + 'app = "other"', "wecom.helper.app：应为同一企业自建应用"),
        (ROBOT, "wecom.helper.app：应为同一企业自建应用"),
    ],
)
def test_what_is_wrong_with_a_robot_is_told_in_its_own_keys(
    write: Callable[[str], Path], text: str, told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(write(text))
    assert str(caught.value).startswith(told)


ARCHIVE = f"""{SALES}
[wecom.sales.archive]
secret = "geheim"
library = "/opt/libWeWorkFinanceSdk_C.so"
"""
PEM = r"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


def test_an_archive_has_its_keys_from_files_by_version(write: Write, tmp_path: Path) -> None:
    (tmp_path / "1.pem").write_text("-----BEGIN RSA PRIVATE KEY-----\nx")
    settings = load_settings(write(f'{ARCHIVE}keys = {{1 = "{tmp_path / "1.pem"}", 2 = "{PEM}"}}'))
    archive = settings.archives["sales"]
    assert set(archive.access()["keys"]) == {1, 2}
    assert "BEGIN" not in repr(settings)
    access = archive.access()
    assert ArchiveAccess(name="sales", corp_id="ww1", **access).page == 200
    assert "archive" not in settings.wecom_apps["sales"].revealed()


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("", "wecom.sales.archive.keys：必填"),
        ('keys = {1 = "/nowhere.pem"}', "wecom.sales.archive.keys.1：私钥文件读不到"),
        (f'keys = {{0 = "{PEM}"}}', "wecom.sales.archive.keys.0：版本号应为正整数"),
        (f'keys = {{1 = "{PEM}"}}\npage = 2000', "wecom.sales.archive.page：应为 1 到 1000"),
        (f'keys = {{1 = "{PEM}"}}\nkey = 1', "wecom.sales.archive.key：没有这个键"),
    ],
)
def test_a_mistake_about_an_archive_is_one_line(write: Write, given: str, line: str) -> None:
    (told,) = mistakes(write(ARCHIVE + given))
    assert told.startswith(line)


def test_a_company_has_one_archive(write: Write) -> None:
    key = f'keys = {{1 = "{PEM}"}}'
    second = ARCHIVE.replace("wecom.sales", "wecom.east")
    (told,) = mistakes(write(f"{ARCHIVE}{key}\n{second}{key}"))
    assert told.startswith("wecom.east.archive：sales 已经配置了")


def test_a_library_without_a_whole_path_is_refused(write: Write) -> None:
    given = ARCHIVE.replace("/opt/", "") + f'keys = {{1 = "{PEM}"}}'
    (told,) = mistakes(write(given))
    assert told.startswith("wecom.sales.archive.library：应为")
