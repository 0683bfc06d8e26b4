// Pictures, files and voices in a message.

import { h, icon, safeUrl } from "./dom.js";

/** A thumbnail that opens large. */
export function picture(file) {
  const src = safeUrl(file.url);
  if (!src) return h("p", {}, file.name);
  const image = h("img", { src, alt: file.name });
  const open = () => enlarge(src, file.name);
  const label = `放大图片：${file.name}`;
  return h("button.picture", { type: "button", "aria-label": label, onclick: open }, image);
}

function enlarge(src, name) {
  const dialog = h("dialog.lightbox", { "aria-label": name, onclose: () => dialog.remove() });
  const close = { type: "button", "aria-label": "关闭大图", onclick: () => dialog.close() };
  dialog.append(h("img", { src, alt: name }), h("button.icon", close, icon("close")));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

export function fileLink(file) {
  return h(
    "a.file",
    { href: safeUrl(file.url), download: file.name, target: "_blank", rel: "noopener" },
    icon("file"),
    h("span.file-name", {}, file.name),
    h("span.file-size", {}, readableSize(file.size)),
  );
}

/** A page's own recordings come as video/webm. */
export const isRecording = ({ media_type: type = "" }) => /^(audio\/|video\/webm)/.test(type);

/** A player; where the browser cannot play the format, the file itself. */
export function voice(file) {
  const audio = new Audio();
  audio.preload = "metadata";
  audio.src = `${safeUrl(file.url)}?play`;
  const time = h("span.voice-time", {}, "语音");
  const bar = h("progress", { max: 1, value: 0, "aria-label": "播放进度" });
  const button = h("button.icon", { type: "button", "aria-label": "播放语音" }, icon("play"));
  const player = h("div.voice", {}, button, bar, time);
  const shown = () => (Number.isFinite(audio.duration) ? audio.duration : audio.currentTime);

  button.addEventListener("click", () => (audio.paused ? play() : audio.pause()));
  audio.addEventListener("timeupdate", draw);
  audio.addEventListener("loadedmetadata", draw);
  for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, draw);
  audio.addEventListener("error", () => player.replaceWith(fileLink(file)));

  function play() {
    audio.play().catch(() => player.replaceWith(fileLink(file)));
  }

  function draw() {
    button.replaceChildren(icon(audio.paused ? "play" : "pause"));
    button.setAttribute("aria-label", audio.paused ? "播放语音" : "暂停");
    bar.value = Number.isFinite(audio.duration) ? audio.currentTime / audio.duration : 0;
    time.textContent = shown() ? `${Math.round(shown())}″` : "语音";
  }

  return player;
}

function readableSize(bytes) {
  if (!bytes) return "";
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${Math.round(bytes / 1024)} KB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
