// The plane: pan by dragging the ground, zoom by wheel, pinch or buttons, and lines between nodes.

import { el, svg } from "./dom.js";

const LEAST = 0.3;
const MOST = 2;

export class View {
  constructor(host, { moved }) {
    this.x = 24;
    this.y = 24;
    this.scale = 1;
    this.moved = moved;
    this.lines = svg("svg", { class: "lines", "aria-hidden": "true" });
    this.plane = el("div", { class: "plane" }, this.lines);
    this.host = host;
    host.append(this.plane);
    host.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    host.addEventListener("pointerdown", (event) => this.#grab(event));
    this.pointers = new Map();
    this.#apply();
  }

  zoom(factor, at = null) {
    const box = this.host.getBoundingClientRect();
    const [px, py] = at ? [at[0] - box.left, at[1] - box.top] : [box.width / 2, box.height / 2];
    const scale = Math.min(MOST, Math.max(LEAST, this.scale * factor));
    this.x = px - ((px - this.x) * scale) / this.scale;
    this.y = py - ((py - this.y) * scale) / this.scale;
    this.scale = scale;
    this.#apply();
  }

  /** Everything in sight. */
  fit() {
    const nodes = [...this.plane.querySelectorAll(".node")];
    if (!nodes.length) return;
    const right = Math.max(...nodes.map((one) => one.offsetLeft + one.offsetWidth));
    const bottom = Math.max(...nodes.map((one) => one.offsetTop + one.offsetHeight));
    const left = Math.min(...nodes.map((one) => one.offsetLeft));
    const top = Math.min(...nodes.map((one) => one.offsetTop));
    const { clientWidth: w, clientHeight: h } = this.host;
    this.scale = Math.max(LEAST, Math.min(1, (w - 48) / (right - left), (h - 48) / (bottom - top)));
    this.x = 24 - left * this.scale;
    this.y = 24 - top * this.scale;
    this.#apply();
  }

  place(node, [x, y]) {
    node.style.left = `${x}px`;
    node.style.top = `${y}px`;
  }

  /** Nodes are dragged by their heads, and moved by arrow keys. */
  movable(node, head, at) {
    const to = (x, y) => {
      at[0] = Math.round(x);
      at[1] = Math.round(y);
      this.place(node, at);
      this.moved();
    };
    head.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("input, select, button")) return;
      event.stopPropagation();
      head.setPointerCapture(event.pointerId);
      const from = [event.clientX, event.clientY, ...at];
      const move = (now) =>
        to(from[2] + (now.clientX - from[0]) / this.scale, from[3] + (now.clientY - from[1]) / this.scale);
      const stop = () => {
        head.removeEventListener("pointermove", move);
        head.removeEventListener("pointerup", stop);
        head.removeEventListener("pointercancel", stop);
      };
      head.addEventListener("pointermove", move);
      head.addEventListener("pointerup", stop);
      head.addEventListener("pointercancel", stop);
    });
    head.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-20, 0], ArrowRight: [20, 0], ArrowUp: [0, -20], ArrowDown: [0, 20] }[event.key];
      if (!step || event.target !== head) return;
      event.preventDefault();
      to(at[0] + step[0], at[1] + step[1]);
    });
  }

  /** links: [from node, to node, kind]. */
  draw(links) {
    this.lines.replaceChildren();
    for (const [from, to, kind] of links) {
      const x1 = from.offsetLeft + from.offsetWidth, y1 = from.offsetTop + 24;
      const x2 = to.offsetLeft, y2 = to.offsetTop + 24;
      const bend = Math.max(40, Math.abs(x2 - x1) / 2);
      const d = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
      this.lines.append(svg("path", { d, class: kind }), svg("circle", { cx: x2, cy: y2, r: 4, class: kind }));
    }
  }

  /** A line that follows the pointer until it is let go over a node; tells which. */
  connect(port, event, accepts, done) {
    event.preventDefault();
    event.stopPropagation();
    const box = this.plane.getBoundingClientRect();
    const point = (at) => [(at.clientX - box.left) / this.scale, (at.clientY - box.top) / this.scale];
    const [x, y] = point(event);
    const path = svg("path", { class: "drawing" });
    this.lines.append(path);
    const over = (at) =>
      document.elementsFromPoint(at.clientX, at.clientY).map((one) => one.closest(".node")).find((one) => one && accepts(one));
    const move = (at) => {
      const [a, b] = point(at);
      path.setAttribute("d", `M${x} ${y} L${a} ${b}`);
      for (const one of this.plane.querySelectorAll("[data-target]")) one.removeAttribute("data-target");
      over(at)?.setAttribute("data-target", "");
    };
    const stop = (at) => {
      removeEventListener("pointermove", move);
      removeEventListener("pointerup", stop);
      path.remove();
      for (const one of this.plane.querySelectorAll("[data-target]")) one.removeAttribute("data-target");
      const found = over(at);
      if (found) done(found);
    };
    addEventListener("pointermove", move);
    addEventListener("pointerup", stop);
  }

  #wheel(event) {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey || !event.shiftKey) this.zoom(Math.exp(-event.deltaY / 500), [event.clientX, event.clientY]);
    else {
      this.x -= event.deltaY;
      this.#apply();
    }
  }

  #grab(event) {
    if (event.target.closest(".node") || event.button) return;
    this.host.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.pointers.size > 1) return;
    const move = (now) => this.#drag(now);
    const stop = (now) => {
      this.pointers.delete(now.pointerId);
      if (this.pointers.size) return;
      this.host.removeEventListener("pointermove", move);
      this.host.removeEventListener("pointerup", stop);
      this.host.removeEventListener("pointercancel", stop);
    };
    this.host.addEventListener("pointermove", move);
    this.host.addEventListener("pointerup", stop);
    this.host.addEventListener("pointercancel", stop);
  }

  #drag(now) {
    const before = this.pointers.get(now.pointerId);
    if (!before) return;
    const at = [now.clientX, now.clientY];
    const other = [...this.pointers].find(([id]) => id !== now.pointerId)?.[1];
    if (other) {
      const far = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      this.zoom(far(at) / far(before), [(at[0] + other[0]) / 2, (at[1] + other[1]) / 2]);
    } else {
      this.x += at[0] - before[0];
      this.y += at[1] - before[1];
      this.#apply();
    }
    this.pointers.set(now.pointerId, at);
  }

  #apply() {
    this.plane.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
  }
}
