// The sandbox's HTTP, and its failures in plain words.

const ROOT = "/sandbox/api";

/** What went wrong, worded for the person who clicked. */
export class Failure extends Error {}

export const getWorld = () => get("/world");

export const getStream = (customer) => get("/stream", { customer });

/** Waits up to `wait` seconds for something newer than message `after`. */
export const getMessages = (filter, signal) => get("/messages", filter, signal);

/** Answers when the bot has nothing left to do, at most after `timeout` seconds. */
export const quiesce = (timeout = 15) => get("/quiesce", { timeout });

export const say = (platform, from, chat, text) => post("/say", { platform, from, chat, text });

export function sayFile(platform, from, chat, kind, file) {
  const form = new FormData();
  form.append("platform", platform);
  form.append("from", from);
  if (chat) form.append("chat", chat);
  form.append("kind", kind);
  form.append("file", file, file.name);
  return request("/say", { method: "POST", body: form });
}

export const press = (messageId, from, action, values) =>
  post("/press", { message_id: messageId, from, action, values });

/** Tells the platform that the person opened the application, or the chat with a robot. */
export const enter = (platform, from, chat) => post("/enter", { platform, from, chat });

/** Taps an entry of the application's menu. */
export const clickMenu = (platform, from, key) => post("/menu", { platform, from, key });

export const moveClock = (to) => post("/clock", { now: to.toISOString() });

export const playFault = (fault) => post("/fault", fault);

function get(path, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const search = new URLSearchParams(given).toString();
  return request(search ? `${path}?${search}` : path, { signal });
}

function post(path, body) {
  return request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(ROOT + path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("连不上沙盒，请确认它还在运行。");
  }
  if (response.ok) return response.json();
  throw new Failure(await reasonOf(response));
}

async function reasonOf(response) {
  const text = (await response.text()).trim();
  const said = readReason(text);
  if (said) return said;
  if (response.status === 413) return "文件太大了，平台不收。";
  return `沙盒没能完成这一步（HTTP ${response.status}）。`;
}

function readReason(text) {
  try {
    const body = JSON.parse(text);
    return body.error ?? body.reason ?? body.message ?? null;
  } catch {
    return text && text.length <= 200 && !text.startsWith("<") ? text : null;
  }
}
