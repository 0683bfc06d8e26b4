"""`setup`: a few answers become a configuration that loads, and nothing is lost on the way."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path

import pytest

from config import setup
from config.policy import ConfigError
from config.settings import Settings, load_settings

AES_KEY = "b" * 43


class Person:
    """Answers questions by the words in them; leaves the others at their default."""

    def __init__(self, **answers: str | list[str]) -> None:
        self.answers = {
            key: [value] if isinstance(value, str) else list(value)
            for key, value in answers.items()
        }
        self.heard: list[str] = []
        self.hidden: list[str] = []
        self.checked: list[Settings] = []

    def ask(self, question: str, *, secret: bool = False, default: str | None = None) -> str:
        if secret:
            self.hidden.append(question)
        for words, answers in self.answers.items():
            if words in question.replace(" ", "") and answers:
                return answers.pop(0)
        assert default is not None, f"no answer to {question!r}"
        return default

    def run(self, path: Path) -> int:
        def check(settings: Settings) -> int:
            self.checked.append(settings)
            return 0

        return setup.run(path, ask=self.ask, say=self.heard.append, check=check)


def on_wecom(**more: str | list[str]) -> Person:
    return Person(
        **{"企业ID": "ww1", "AgentId": "1000002", "Secret": "geheim", "外网地址": "https://g.example.com/"}
        | more
    )  # fmt: skip


def on_dingtalk(**more: str | list[str]) -> Person:
    answers = {"哪个平台": "2", "CorpId": "ding1", "ClientID": "cid", "ClientSecret": "geheim"}
    return Person(**answers | more)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "gendan.toml"


def test_wecom_from_nothing_gives_a_configuration_that_loads(path: Path) -> None:
    person = on_wecom(管理员="zhaoqian")
    assert person.run(path) == 0
    settings = load_settings(path)
    app = settings.wecom["sales"].revealed()
    assert (app["corp_id"], app["agent_id"], app["secret"]) == ("ww1", 1000002, "geheim")
    assert app["token"].isalnum()
    assert len(app["token"]) <= 32
    assert len(b64decode(app["aes_key"] + "=", validate=True)) == 32
    assert (settings.public_url, settings.admins) == ("https://g.example.com", ("wecom:zhaoqian",))
    assert person.checked == [settings]


def test_dingtalk_from_nothing_gives_a_configuration_that_loads(path: Path) -> None:
    on_dingtalk(RobotCode="robot1").run(path)
    app = load_settings(path).dingtalk["sales"].revealed()
    assert (app["client_id"], app["client_secret"], app["robot_code"]) == (
        "cid",
        "geheim",
        "robot1",
    )
    assert app["events_token"]
    assert len(app["events_aes_key"]) == 43


def test_dingtalk_over_stream_is_asked_for_no_secrets_of_events(path: Path) -> None:
    person = on_dingtalk(怎么把消息送来=["3", "2"])
    person.run(path)
    app = load_settings(path).dingtalk["sales"]
    assert (app.mode, app.events_aes_key) == ("stream", "")
    assert person.hidden == ["Client Secret"]
    said = "\n".join(person.heard)
    assert "不对，应为：1、2" in said
    assert "消息接收模式选 Stream" in said
    assert "/dingtalk/sales/robot" not in said


def test_from_http_to_stream_the_secrets_of_events_go(path: Path) -> None:
    on_dingtalk().run(path)
    assert load_settings(path).dingtalk["sales"].mode == "http"
    on_dingtalk(怎么把消息送来="2", 一起重写="y").run(path)
    app = load_settings(path).dingtalk["sales"]
    assert (app.mode, app.events_token.get_secret_value()) == ("stream", "")


def test_secrets_are_typed_unseen_and_kept_in_files_of_their_owner(path: Path) -> None:
    person = on_wecom()
    person.run(path)
    folder = path.parent / "secrets"
    assert sorted(file.name for file in folder.iterdir()) == [
        "sales-aes_key", "sales-secret", "sales-token",
    ]  # fmt: skip
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    assert person.hidden == ["Secret", "Token", "EncodingAESKey"]
    assert "geheim" not in path.read_text(encoding="utf-8")
    assert "geheim" not in "".join(person.heard)


def test_values_that_the_console_already_has_are_taken(path: Path) -> None:
    on_wecom(Token="console", EncodingAESKey=AES_KEY).run(path)
    app = load_settings(path).wecom["sales"].revealed()
    assert (app["token"], app["aes_key"]) == ("console", AES_KEY)


def test_a_wrong_answer_is_asked_again_with_what_it_should_be(path: Path) -> None:
    person = on_wecom(AgentId=["ten", "1000002"], 短名=["Sales!", "east-china"])
    person.run(path)
    assert load_settings(path).wecom["east-china"].agent_id == 1000002
    assert "不对，应为：正整数 (a whole number above 0)" in person.heard


def test_it_says_where_each_value_stands_and_what_to_do_next(path: Path) -> None:
    person = on_wecom()
    person.run(path)
    said = "\n".join(person.heard)
    assert "「我的企业」→「企业信息」" in said
    assert "https://g.example.com/wecom/sales" in said
    assert "企业可信IP" in said


def test_the_rest_of_the_file_stays_as_it_was(path: Path) -> None:
    path.write_text(
        '# ours\nport = 9000  # behind nginx\nadmins = ["wecom:old"]\n\n[storage]\nfiles = "f"\n',
        encoding="utf-8",
    )
    on_wecom(管理员="zhaoqian").run(path)
    on_dingtalk().run(path)
    text = path.read_text(encoding="utf-8")
    assert "# ours\nport = 9000  # behind nginx\n" in text
    settings = load_settings(path)
    assert settings.admins == ("wecom:old", "wecom:zhaoqian")
    assert (settings.storage.files, settings.public_url) == (Path("f"), "https://g.example.com")
    assert (list(settings.wecom), list(settings.dingtalk)) == (["sales"], ["sales"])


@pytest.mark.parametrize("answer", ["n", ""])
def test_a_known_application_is_not_overwritten_without_a_yes(path: Path, answer: str) -> None:
    on_wecom().run(path)
    before = path.read_text(encoding="utf-8"), load_settings(path)
    again = Person(企业ID="ww2", 重写=["what?", answer or "n"])
    assert again.run(path) == 0
    assert (path.read_text(encoding="utf-8"), load_settings(path)) == before
    assert again.heard[-1] == "没有改动任何文件。"


def test_with_a_yes_it_is_replaced_and_what_was_added_by_hand_stays(path: Path) -> None:
    on_wecom().run(path)
    path.write_text(
        path.read_text(encoding="utf-8") + '\n[wecom.sales.webhooks]\n"华东" = "k"\n',
        encoding="utf-8",
    )
    again = on_wecom(企业ID="ww2", 重写="y")
    again.run(path)
    app = load_settings(path).wecom["sales"].revealed()
    assert (app["corp_id"], app["webhooks"]) == ("ww2", {"华东": "k"})


def test_a_secret_file_that_lies_there_is_not_overwritten_without_a_yes(path: Path) -> None:
    folder = path.parent / "secrets"
    folder.mkdir()
    (folder / "sales-secret").write_text("of something else")
    person = on_wecom(覆盖="n")
    person.run(path)
    assert (folder / "sales-secret").read_text() == "of something else"
    assert not path.exists()


def test_a_file_that_cannot_be_changed_safely_is_left_alone(path: Path) -> None:
    text = 'wecom = { old = { corp_id = "ww0" } }\n'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="手工写入"):
        on_wecom().run(path)
    assert path.read_text(encoding="utf-8") == text
    assert not (path.parent / "secrets").exists()


def test_stopping_in_the_middle_changes_nothing(path: Path) -> None:
    person = on_wecom()
    answer = person.ask

    def interrupted(question: str, *, secret: bool = False, default: str | None = None) -> str:
        if question == "外网地址":
            raise KeyboardInterrupt
        return answer(question, secret=secret, default=default)

    with pytest.raises(KeyboardInterrupt):
        setup.run(path, ask=interrupted, say=person.heard.append, check=lambda _: 0)
    assert list(path.parent.iterdir()) == []


def test_the_exit_code_is_that_of_the_checks(path: Path) -> None:
    person = on_wecom()
    assert setup.run(path, ask=person.ask, say=person.heard.append, check=lambda _: 1) == 1


def test_generated_keys_differ_and_fit_the_platforms() -> None:
    keys = {setup.new_aes_key() for _ in range(20)}
    assert len(keys) == 20
    assert all(len(key) == 43 and key.isalnum() for key in keys)


def test_the_written_file_is_plain_toml(path: Path) -> None:
    on_wecom().run(path)
    table = tomllib.loads(path.read_text(encoding="utf-8"))["wecom"]["sales"]
    assert list(table) == ["corp_id", "agent_id", "secret_file", "token_file", "aes_key_file"]


def test_an_engine_is_asked_for_and_told_how_to_get(path: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    person = on_wecom(听写="1", 模型的文件夹=["nowhere", "model"])
    person.run(path)
    speech = load_settings(path).speech
    assert (speech.engine, speech.folder) == ("sherpa", Path("model"))
    said = "\n".join(person.heard)
    assert "pip install 'gendan[voice,sherpa]'" in said
    assert "sherpa-onnx-sense-voice" in said
    assert "已经存在的文件夹" in said


def test_a_server_for_recordings_keeps_its_key_in_a_file(path: Path) -> None:
    person = on_wecom(听写="3", 服务地址=["asr", "https://asr/v1/"], 模型名="m", APIKey="sk-1")
    person.run(path)
    speech = load_settings(path).speech
    assert speech.revealed() | {"folder": None} == {
        "engine": "openai", "folder": None, "threads": 2, "base_url": "https://asr/v1",
        "model": "m", "api_key": "sk-1", "timeout_s": 30,
    }  # fmt: skip
    assert "sk-1" not in path.read_text(encoding="utf-8")
    assert (path.parent / "secrets" / "speech-api_key").stat().st_mode & 0o777 == 0o600


def test_an_engine_that_is_configured_is_not_asked_for_again(path: Path) -> None:
    path.write_text('[speech]\nengine = "whisper"\nfolder = "w"\n', encoding="utf-8")
    person = on_wecom(听写="3")
    person.run(path)
    assert load_settings(path).speech.engine == "whisper"
    assert not any("听写" in line for line in person.heard)


def test_without_an_engine_nothing_is_written_about_it(path: Path) -> None:
    on_wecom().run(path)
    assert "speech" not in path.read_text(encoding="utf-8")


def on_robot(**more: str | list[str]) -> Person:
    return Person(**{"哪个平台": "3", "BotID": "aib1", "Secret": "geheim"} | more)


def test_a_robot_that_is_called_gets_a_token_and_a_key(path: Path) -> None:
    on_wecom().run(path)
    person = on_robot(机器人的名字="跟单")
    assert person.run(path) == 0
    robot = load_settings(path).aibots["helper"]
    assert (robot.mode, robot.robot_name) == ("http", "跟单")
    assert robot.token.get_secret_value()
    assert len(robot.aes_key) == 43
    assert "/wecom/helper/aibot" in "\n".join(person.heard)


def test_a_robot_that_connects_wants_its_id_and_its_secret(path: Path) -> None:
    on_wecom().run(path)
    person = on_robot(怎么把消息送来="2")
    person.run(path)
    settings = load_settings(path)
    robot = settings.aibots["helper"]
    assert (robot.mode, robot.bot_id, robot.secret.get_secret_value()) == (
        "websocket",
        "aib1",
        "geheim",
    )
    assert settings.application_of(robot) == "sales"
    assert "geheim" not in path.read_text(encoding="utf-8")


def test_a_robot_alone_is_not_set_up(path: Path) -> None:
    person = on_robot()
    assert person.run(path) == 0
    assert "自建应用" in person.heard[-1]
    assert not path.exists()


def test_with_several_applications_it_is_asked_which_one_the_robot_belongs_to(path: Path) -> None:
    on_wecom().run(path)
    on_wecom(短名="other").run(path)
    on_robot(哪个自建应用="other").run(path)
    settings = load_settings(path)
    assert settings.application_of(settings.aibots["helper"]) == "other"
