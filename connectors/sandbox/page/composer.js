// Where the visitor writes, picks files and records.

import { h, icon } from "./dom.js";
import { canRecord, startRecording } from "./recorder.js";
import { personKey } from "./store.js";
import { toast } from "./toast.js";
import { MENTION } from "./words.js";

const LEADING = ["supervisor", "sales_director"];
const UPLOADS = [
  { kind: "file", label: "发送文件", name: "clip", accept: "" },
  { kind: "image", label: "发送图片", name: "image", accept: "image/*" },
  { kind: "voice", label: "发送语音文件", name: "voice", accept: "audio/*,.amr" },
];

/** acts: {say(text), sayFile(kind, file), menu(key)}, each answering whether it went well.
 * Answers {focus()}. */
export function composer(root, store, acts) {
  const texts = new Map(); // what was begun and not sent, by conversation
  let place = null;

  const input = h("textarea", {
    rows: "1", "aria-label": "消息", placeholder: "说点什么…", title: "回车发送，Shift+回车换行",
    oninput: grow, onkeydown: onKey,
  });
  const send = h("button.primary.send", { type: "button", "aria-label": "发送", onclick: submit },
    icon("send"));
  const chips = h("div.chips", { role: "group", "aria-label": "例句" });
  const tools = h("div.attach", {}, UPLOADS.map(uploadButton), recordButton());
  const bar = h("div.write", {}, tools, input, send);
  const note = h("p.place-note");
  root.append(h("footer.composer", {}, chips, note, bar));

  store.subscribe((topic) => {
    if (topic === "chosen") open();
    if (topic === "world" || topic === "chosen") drawChips();
  });

  function open() {
    if (place !== null) texts.set(place, input.value);
    place = `${personKey(store.me)}|${store.chat?.chat_id ?? ""}`;
    const isMute = store.chat !== null && store.me.platform === "wecom" && !store.chat.robot;
    const begun = isGroup(store.chat) ? MENTION : "";
    input.value = texts.get(place) ?? begun;
    bar.hidden = chips.hidden = isMute;
    note.textContent = noteOn(store.chat, isMute);
    note.hidden = !note.textContent;
    grow();
  }

  function noteOn(chat, isMute) {
    if (isMute) return "企业微信的应用群只收推送：应用听不到群里的话。";
    if (chat?.robot) {
      return isGroup(chat)
        ? "智能机器人只听得到群里 @跟单 的话；群里不能发卡片，用文字回复它。"
        : "这是与智能机器人的单聊：群里的 @跟单 也是它。";
    }
    return chat ? "钉钉群里 @跟单 的话，机器人才听得到。" : "";
  }

  function drawChips() {
    if (!store.me) return;
    const menu = store.chat ? [] : menuEntries(store.menus[store.me.platform]);
    const drawn = [
      ...menu.map((item) => chip(item.name, () => acts.menu(item.key), "menu")),
      ...suggestions(store)
        .filter((text) => !menu.some(({ name }) => name === text))
        .map((text) => chip(text, () => suggest(text), "sentence")),
    ];
    const words = (nodes) => nodes.map((node) => node.textContent).join("\n");
    if (words(drawn) !== words([...chips.children])) chips.replaceChildren(...drawn);
  }

  function chip(text, onclick, kind) {
    return h("button.chip", { type: "button", "data-kind": kind, onclick }, text);
  }

  function suggest(text) {
    input.value = (isGroup(store.chat) ? MENTION : "") + text;
    grow();
    input.focus();
  }

  function onKey(event) {
    const composing = event.isComposing || event.keyCode === 229; // an input method is open
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    submit();
  }

  async function submit() {
    const text = input.value.trim();
    if (!text || text === MENTION.trim()) return;
    input.value = isGroup(store.chat) ? MENTION : "";
    grow();
    input.focus();
    const sent = await acts.say(text);
    if (!sent && !input.value) input.value = text;
    grow();
  }

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
    send.disabled = !input.value.trim();
  }

  function uploadButton({ kind, label, name, accept }) {
    const picker = h("input", { type: "file", accept, hidden: true, "data-kind": kind });
    picker.addEventListener("change", async () => {
      for (const file of picker.files) await acts.sayFile(kind, file);
      picker.value = "";
    });
    const open = { type: "button", "aria-label": label, title: label, onclick: () => picker.click() };
    return [h("button.icon", open, icon(name)), picker];
  }

  function recordButton() {
    if (!canRecord()) return null;
    let running = null;
    const button = h("button.icon.record", { type: "button", title: "录音" }, icon("mic"));
    const draw = () => {
      button.setAttribute("aria-label", running ? "停止并发送录音" : "开始录音");
      button.setAttribute("aria-pressed", String(Boolean(running)));
      button.replaceChildren(icon(running ? "stop" : "mic"));
    };
    button.addEventListener("click", async () => {
      const finished = running;
      running = finished ? null : await begin();
      draw();
      if (finished) await acts.sayFile("voice", await finished.finish());
    });
    draw();
    return button;
  }

  return {
    /** Ready to type, where that brings up no keyboard on the screen. */
    focus: () => matchMedia("(pointer: fine)").matches && !bar.hidden && input.focus(),
  };
}

const OF_OTHERS = {
  warehouse: ["备货"],
  planning: ["备货"],
  finance: ["奖金待办", "奖金规则"],
  hrbp: ["奖金待办", "奖金规则", "兑换目录"],
  product: ["拒绝原因"],
  csm: ["待办"],
  legal: ["待办", "客户 恒锐机电"],
};

/** Sentences worth trying by the person's role, about a customer of their own where there is
 * one. */
function suggestions({ me, customers }) {
  if (me.roles.includes("admin")) return ["账号", "帮助"];
  if (me.roles.some((role) => LEADING.includes(role))) {
    return ["我的灯", "客户 恒锐机电", "动态 恒锐机电", "帮助"];
  }
  const other = me.roles.find((role) => role in OF_OTHERS);
  if (other && !me.roles.includes("rep")) return [...OF_OTHERS[other], "帮助"];
  const own = customers.filter(({ owner }) => owner === me.name).map(({ name }) => name);
  const isFamiliar = !own.length || own.some((name) => name.includes("恒锐机电"));
  const customer = isFamiliar ? "恒锐机电" : own[0].replace(/有限公司$/, "");
  const contact = isFamiliar ? "王总" : "";
  return [
    `刚和${customer}${contact}通了25分钟电话，嫌价格高，下周三再联系`,
    "待办",
    `客户 ${customer}`,
    "帮助",
  ];
}

async function begin() {
  try {
    return await startRecording();
  } catch {
    toast("没有拿到麦克风的许可，可以改为上传语音文件。", { kind: "error" });
    return null;
  }
}

/** Entries of the application's menu that tell the bot something. */
function menuEntries(menu) {
  const entries = (menu?.button ?? []).flatMap((entry) => entry.sub_button ?? [entry]);
  return entries.filter((entry) => entry.type === "click");
}

/** A chat with a robot alone is one with a single member. */
const isGroup = (chat) => chat !== null && chat.members.length > 1;
