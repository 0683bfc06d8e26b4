// Fen and basis points as people type them. Whole numbers only: texts are cut, never divided.

export const OPS = [
  [">=", "≥"], [">", "＞"], ["<=", "≤"], ["<", "＜"], ["==", "是"], ["!=", "不是"], ["in", "属于"],
];
export const KINDS = [["new", "新签"], ["upsell", "增购"], ["renewal", "续约"]];

const SCALES = { money: 2, wan: 6, percent: 2 };

/** 12345678 -> "12.345678" for six places; without trailing zeros. */
export function shown(value, unit) {
  if (value === null || value === undefined) return "";
  if (!(unit in SCALES) || !Number.isInteger(value)) return String(value);
  const places = SCALES[unit];
  const digits = String(Math.abs(value)).padStart(places + 1, "0");
  const rest = digits.slice(-places).replace(/0+$/, "");
  return (value < 0 ? "-" : "") + digits.slice(0, -places) + (rest ? `.${rest}` : "");
}

/** The other way; what is no number, or finer than a fen, stays the text that was typed, so that
    the server says what is wrong with it. */
export function typed(text, unit) {
  const clean = text.trim().replace(/[,，\s]/g, "");
  if (!(unit in SCALES)) return text;
  const places = SCALES[unit];
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(clean);
  if (!match || (match[3] ?? "").replace(/0+$/, "").length > places) return text;
  const number = Number(match[1] + match[2] + (match[3] ?? "").slice(0, places).padEnd(places, "0"));
  return Number.isSafeInteger(number) ? number : text;
}

export const words = { money: "元", wan: "万元", percent: "%" };
