// Charts are drawn from the tables beside them: the numbers are in the page for everybody, the
// picture is for who sees it.

import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart, LineChart, ScatterChart,
  AriaComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent,
  CanvasRenderer,
]);

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A custom property may hold light-dark(): the browser resolves it on an element only. */
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** {names, series: [{name, tone, values}]} as the table says. */
function read(table) {
  const heads = [...table.tHead.rows[0].cells].slice(1);
  const rows = [...table.tBodies[0].rows];
  return {
    names: rows.map((row) => row.cells[0].textContent.trim()),
    series: heads.map((head, column) => ({
      name: head.textContent.trim(),
      tone: head.dataset.tone ?? "accent",
      values: rows.map((row) => Number(row.cells[column + 1].dataset.value ?? row.cells[column + 1].textContent)),
    })),
  };
}

const shared = (scale) => ({
  animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  animationDuration: 300,
  textStyle: { fontFamily: style("--font"), fontSize: 12 * scale },
  // Text and not HTML: inline styles are refused by the page's policy.
  tooltip: { trigger: "axis", renderMode: "richText", confine: true },
});

const axisText = (scale) => ({ color: colour("--soft"), fontSize: 12 * scale });
const legendText = (scale) => ({ ...axisText(scale), padding: [0, 0, 0, 4 * scale] });

/** Fen, as one would say it. */
function money(fen) {
  const yuan = fen / 100;
  const said = (number, digits) => number.toLocaleString("zh-CN", { maximumFractionDigits: digits });
  if (Math.abs(yuan) >= 1e8) return `${said(yuan / 1e8, 2)}亿`;
  return Math.abs(yuan) >= 1e4 ? `${said(yuan / 1e4, 1)}万` : said(yuan, 0);
}

/** The step of an axis to `most` with about four of them: 1, 2 or 5 and zeros. */
function stepTo(most) {
  const ten = 10 ** Math.floor(Math.log10(most / 4));
  return [1, 2, 5, 10].map((one) => one * ten).find((one) => one * 5 >= most);
}

/** Two parts one above the other on the same scale: the quarter against its target, and what the
    machine expects from today on. The line of the target crosses only what it is a target of. */
function outlook(quarter, machine, scale, narrow) {
  const target = quarter.series.find((one) => one.name === "目标")?.values[0];
  const parts = quarter.series.filter((one) => one.name !== "目标");
  const bands = machine?.names ?? [];
  const [low, middle, high] = (machine?.series ?? []).map((one) => one.values);
  const sum = parts.reduce((all, one) => all + one.values[0], 0);
  const most = Math.max(sum, target ?? 0, ...(high ?? [])) * 1.02 || 100_00;
  const step = stepTo(most);
  const grid = { left: 84 * scale, right: 40 * scale };
  const rows = bands.length;
  const bottom = (rows && narrow ? 86 : 62) * scale; // its legend takes a second row
  const at = (share) => `${Math.round(share * 100)}%`;
  const grids = rows
    ? [{ ...grid, top: 30 * scale, height: at(0.24) }, { ...grid, top: at(0.46), bottom }]
    : [{ ...grid, top: 30 * scale, bottom }];
  const label = { ...axisText(scale), color: colour("--text") };
  const name = (data, gridIndex) => ({
    type: "category", inverse: true, data, gridIndex,
    axisTick: { show: false }, axisLine: { show: false }, axisLabel: label,
  });
  const value = (gridIndex, shown) => ({
    type: "value", gridIndex, min: 0, max: Math.ceil(most / step) * step, interval: step,
    splitLine: { lineStyle: { color: colour("--line") } },
    axisLabel: { ...axisText(scale), show: shown, formatter: money, hideOverlap: true },
  });
  const series = parts.map((one, place) => ({
    name: one.name, type: "bar", stack: "quarter", barMaxWidth: 52 * scale,
    itemStyle: { color: colour(`--${one.tone}-fill`) },
    data: one.values,
    markLine: place || target === undefined ? undefined : {
      symbol: "none", silent: true, animation: false,
      lineStyle: { color: colour("--text"), width: 2.5 * scale, type: "dashed" },
      label: { position: "start", distance: 8 * scale, formatter: `目标 ${money(target)}`, color: colour("--text"), fontSize: 13 * scale, fontWeight: 600 },
      data: [{ xAxis: target }],
    },
  }));
  if (rows) series.push(
    { name: "偏低", type: "bar", stack: "machine", xAxisIndex: 1, yAxisIndex: 1, silent: true, barMaxWidth: 34 * scale, itemStyle: { color: "transparent" }, data: low },
    {
      name: "机器参考的范围", type: "bar", stack: "machine", xAxisIndex: 1, yAxisIndex: 1, barMaxWidth: 34 * scale,
      itemStyle: { color: colour("--heat-1"), borderRadius: 4 * scale },
      data: high.map((one, place) => one - low[place]),
      label: { show: true, position: "right", distance: 6 * scale, formatter: ({ dataIndex }) => money(middle[dataIndex]), color: colour("--text"), fontSize: 13 * scale, fontWeight: 600 },
    },
    {
      name: "居中", type: "scatter", xAxisIndex: 1, yAxisIndex: 1, symbol: "rect", symbolSize: [5 * scale, 30 * scale],
      itemStyle: { color: colour("--text") }, data: middle.map((one, place) => [one, place]),
    },
  );
  return {
    ...shared(scale),
    tooltip: { show: false },
    grid: grids,
    legend: {
      bottom: 0, itemWidth: 12 * scale, itemHeight: 12 * scale, itemGap: 12 * scale, selectedMode: false, textStyle: legendText(scale),
      data: [...parts.map((one) => one.name), ...(rows ? ["机器参考的范围", "居中"] : [])],
    },
    xAxis: rows ? [value(0, false), value(1, true)] : [value(0, true)],
    yAxis: rows ? [name(quarter.names, 0), name(bands, 1)] : [name(quarter.names, 0)],
    series,
  };
}

const KINDS = {
  lights(data, scale) {
    return {
      ...shared(scale),
      grid: { left: 8, right: 32 * scale, top: 8, bottom: 34 * scale, containLabel: true },
      legend: { bottom: 0, itemWidth: 12 * scale, itemHeight: 12 * scale, itemGap: 16 * scale, textStyle: legendText(scale) },
      xAxis: { type: "value", splitLine: { lineStyle: { color: colour("--line") } }, axisLabel: axisText(scale), minInterval: 1 },
      yAxis: { type: "category", inverse: true, data: data.names, axisTick: { show: false }, axisLine: { show: false }, axisLabel: { ...axisText(scale), color: colour("--text") } },
      series: data.series.map((one) => ({
        name: one.name, type: "bar", stack: "all", barMaxWidth: (data.names.length > 3 ? 40 : 64) * scale,
        itemStyle: { color: colour(`--${one.tone}-fill`) },
        label: {
          show: true, color: colour(`--on-${one.tone}`), fontSize: 13 * scale, fontWeight: 600,
          formatter: ({ value }) => value || "",
        },
        data: one.values,
      })),
    };
  },
  lines(data, scale) {
    return {
      ...shared(scale),
      grid: { left: 8, right: 16, top: 12, bottom: 34 * scale, containLabel: true },
      legend: { bottom: 0, icon: "roundRect", itemWidth: 12 * scale, itemHeight: 12 * scale, itemGap: 16 * scale, textStyle: legendText(scale) },
      xAxis: { type: "category", data: data.names, boundaryGap: false, axisTick: { show: false }, axisLine: { lineStyle: { color: colour("--line") } }, axisLabel: { ...axisText(scale), margin: 12 * scale } },
      yAxis: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: colour("--line") } }, axisLabel: axisText(scale) },
      series: data.series.map((one) => ({
        name: one.name, type: "line", showSymbol: false, lineStyle: { width: 2.5 * scale },
        color: colour(`--${one.tone}-fill`), data: one.values,
      })),
    };
  },
  outlook: (quarter, scale, { machine, narrow }) => outlook(quarter, machine, scale, narrow),
  funnel(data, scale) {
    const [reached] = data.series;
    return {
      ...shared(scale),
      tooltip: { trigger: "item", renderMode: "richText", confine: true },
      grid: { left: 8, right: 56 * scale, top: 4, bottom: 4, containLabel: true },
      xAxis: { type: "value", show: false },
      yAxis: { type: "category", inverse: true, data: data.names, axisTick: { show: false }, axisLine: { show: false }, axisLabel: { ...axisText(scale), color: colour("--text") } },
      series: [{
        type: "bar", data: reached.values, barMaxWidth: 36 * scale,
        itemStyle: { color: colour("--accent-fill"), borderRadius: [0, 4, 4, 0] },
        label: { show: true, position: "right", distance: 8 * scale, color: colour("--text"), fontSize: 13 * scale },
      }],
    };
  },
};

function draw(figure) {
  const canvas = figure.querySelector("[data-canvas]");
  const tables = [...figure.querySelectorAll("table")];
  if (!canvas || !tables.length || !canvas.clientWidth) return;
  const scale = Math.max(1, parseFloat(getComputedStyle(canvas).fontSize) / 14);
  const chart = canvas.chart ?? (canvas.chart = init(canvas));
  chart.resize();
  const beside = { machine: tables[1] && read(tables[1]), narrow: canvas.clientWidth < 440 * scale };
  chart.setOption(KINDS[figure.dataset.chart](read(tables[0]), scale, beside), { notMerge: true });
}

const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
drawAll();
for (const event of ["themechange", "htmx:after:swap", "screenchange"]) document.addEventListener(event, drawAll);
addEventListener("resize", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
