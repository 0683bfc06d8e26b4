// Short notices in the corner.

import { h, icon } from "./dom.js";
import { Failure } from "./api.js";

const STAY_MS = { info: 6000, error: 9000 };

/** kind: "info" or "error". action: {label, run} adds a button. */
export function toast(text, { kind = "info", action = null } = {}) {
  const node = h(`div.toast.${kind}`, {}, h("p", {}, text));
  const dismiss = () => node.remove();
  if (action) {
    const run = () => (dismiss(), action.run());
    node.append(h("button.quiet", { type: "button", onclick: run }, action.label));
  }
  const close = { type: "button", "aria-label": "关闭提示", onclick: dismiss };
  node.append(h("button.icon", close, icon("close")));
  document.getElementById("toasts").append(node);
  setTimeout(dismiss, STAY_MS[kind]);
}

/** Runs an act of the visitor; a failure is told in plain words, not thrown. Answers whether
 * it went well. */
export async function attempt(act) {
  try {
    await act();
    return true;
  } catch (error) {
    const known = error instanceof Failure;
    if (!known) console.error(error);
    toast(known ? error.message : "页面出了点问题，请刷新后再试。", { kind: "error" });
    return false;
  }
}
