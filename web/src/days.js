// Fields for a day, which a browser writes in its own language and not in the page's.

/** Tells base.css what to show in the field while nobody types in it. */
export function showDay(field) {
  const [year, month, day] = field.value.split("-").map(Number);
  field.dataset.day = day ? `${year}年${month}月${day}日` : "选一天";
}
