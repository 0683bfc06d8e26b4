// The menu of platform failures to play.

import * as api from "./api.js";
import { h, icon } from "./dom.js";
import { attempt, toast } from "./toast.js";
import { PLATFORMS } from "./words.js";

const SEND = {
  wecom: "message/send",
  dingtalk: "v1.0/robot/oToMessages/batchSend",
};

const FAULTS = [
  { id: "500", label: "所有接口回答 500", fault: () => ({ api: "*", status: 500 }) },
  { id: "slow", label: "所有接口慢 6 秒", fault: () => ({ api: "*", delay: 6 }) },
  { id: "silent", label: "所有接口不回答", fault: () => ({ api: "*", drop: true }) },
  { id: "busy", label: "发消息被限流", fault: (platform) => ({
    api: SEND[platform], errcode: platform === "wecom" ? 45009 : "send.too.fast" }) },
  { id: "token", label: "令牌提前过期", fault: (platform) => ({
    api: SEND[platform], errcode: platform === "wecom" ? 42001 : "InvalidAuthentication" }) },
  { id: "lost", label: "回调丢一次，平台会重发", fault: () => ({ api: "callback", drop: true }) },
];

export function faultMenu(root) {
  const platform = choice("fault-platform", "平台",
    Object.entries(PLATFORMS).map(([id, { name }]) => [id, name]));
  const what = choice("fault-what", "故障", FAULTS.map(({ id, label }) => [id, label]));
  const times = h("input", { type: "number", id: "fault-times", min: 1, max: 99, value: 1,
    required: true });
  const menu = h("form.menu", { id: "fault-menu", popover: "auto", onsubmit: play },
    h("p.menu-title", {}, "让平台出一次故障，看机器人怎么办"),
    platform.node, what.node,
    h("label.field", {}, h("span", {}, "连续次数"), times),
    h("button.primary", {}, "开始"));
  root.append(
    h("button.quiet", { type: "button", popovertarget: "fault-menu" }, icon("bolt"), "故障"), menu);

  async function play(event) {
    event.preventDefault();
    const chosen = FAULTS.find(({ id }) => id === what.select.value);
    const on = platform.select.value;
    const count = Number(times.value);
    menu.hidePopover();
    await attempt(async () => {
      await api.playFault({ platform: on, ...chosen.fault(on), times: count });
      toast(`${PLATFORMS[on].name}：${chosen.label}，接下来 ${count} 次。`);
    });
  }
}

function choice(id, label, options) {
  const select = h("select", { id }, options.map(([value, text]) => h("option", { value }, text)));
  return { select, node: h("label.field", {}, h("span", {}, label), select) };
}
