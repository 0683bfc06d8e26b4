// Times as the team reads them: always in its own zone, wherever the browser is.

const ZONE = "Asia/Shanghai";
const ZONE_OFFSET_MS = 8 * 3600_000;
const DAY_MS = 24 * 3600_000;

const parts = new Intl.DateTimeFormat("zh-CN", {
  timeZone: ZONE, month: "numeric", day: "numeric", weekday: "short",
  hour: "2-digit", minute: "2-digit", hourCycle: "h23",
});

function split(moment) {
  return Object.fromEntries(parts.formatToParts(moment).map(({ type, value }) => [type, value]));
}

/** "1月28日(周三) 15:00" */
export function dateAndTime(moment) {
  const { month, day, weekday, hour, minute } = split(moment);
  return `${month}月${day}日(${weekday}) ${hour}:${minute}`;
}

/** "15:00" */
export function timeOfDay(moment) {
  const { hour, minute } = split(moment);
  return `${hour}:${minute}`;
}

/** "1月28日 周三" */
export function dayLabel(moment) {
  const { month, day, weekday } = split(moment);
  return `${month}月${day}日 ${weekday}`;
}

/** Number of the calendar day in the team's zone; equal for two moments of one day. */
export function dayNumber(moment) {
  return Math.floor((moment.getTime() + ZONE_OFFSET_MS) / DAY_MS);
}

/** The moment at hour:minute of the day that many days away. */
export function atHour(moment, daysAway, hour, minute = 0) {
  const midnight = (dayNumber(moment) + daysAway) * DAY_MS - ZONE_OFFSET_MS;
  return new Date(midnight + (hour * 60 + minute) * 60_000);
}

/** The same time of day, that many days from Monday to Friday later; moved into office hours
 * (09:30–17:30), so that nothing that becomes due is held back by the quiet hours. */
export function workdaysLater(moment, count) {
  let daysAway = 0;
  for (let left = count; left > 0; ) {
    daysAway += 1;
    if (!isWeekend(dayNumber(moment) + daysAway)) left -= 1;
  }
  const minutes = Math.floor(((moment.getTime() + ZONE_OFFSET_MS) % DAY_MS) / 60_000);
  const inOffice = Math.min(Math.max(minutes, 9 * 60 + 30), 17 * 60 + 30);
  return atHour(moment, daysAway, 0, inOffice);
}

function isWeekend(number) {
  return [6, 0].includes((number + 4) % 7); // day 0 was a Thursday
}

/** For <input type="datetime-local">: "2026-01-28T15:00" in the team's zone, and back. */
export const toInput = (moment) =>
  new Date(moment.getTime() + ZONE_OFFSET_MS).toISOString().slice(0, 16);

export const fromInput = (text) => new Date(`${text}:00+08:00`);

/** What stands in a field for a day while nobody types in it: browsers write it in their own
 * language. base.css shows it. */
export function showMoment(input) {
  const [date, clock = ""] = input.value.split("T");
  const [year, month, day] = date.split("-").map(Number);
  input.dataset.moment = day ? `${year}年${month}月${day}日 ${clock}`.trim() : "选一天";
}
