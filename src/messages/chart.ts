// The chart of an operation's watches as an SVG: requests of both sides above, failures of the changed one below, its share as steps.

import type { LineSeriesOption } from 'echarts';
import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { CHANGED, REST } from '../domain/judge/verdict.ts';
import type { SeriesPoint } from '../domain/lifecycle/contract.ts';
import type { OperationView } from '../domain/lifecycle/operation.ts';
import { formatTarget, shortNameOf } from '../domain/target.ts';
import { recordOf } from '../domain/verb.ts';
import type { ChartWords, SideWords } from '../domain/verb-record.ts';
import { clock, endOf, failurePercent, gapBefore, inOrder, niceMax, type Point, perSecond, shareSteps } from './chart-numbers.ts';

echarts.use([LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

export const CHART_WIDTH = 720;
export const CHART_HEIGHT = 540;

/** The DejaVu family by its name: resvg draws text only in a font it was given. */
const FONT = 'DejaVu Sans';
// Okabe and Ito's palette: told apart by people with any colour vision; the dashes tell the sides apart without colour.
const STABLE = '#0072B2';
const CANARY = '#D55E00';
const WEIGHT = '#666666';
const INK = '#1D1C1D';
const HARM = '#A30000';

/** What the operation's verb calls what is drawn. */
type Words = ChartWords & Pick<SideWords, 'changed' | 'rest'>;

/** Draws at most 1,000 points. Times are UTC. */
export function chartSvg(view: OperationView, series: readonly SeriesPoint[]): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: CHART_WIDTH, height: CHART_HEIGHT });
  try {
    chart.setOption(chartOption(view, inOrder(series).slice(-1_000)));
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

function chartOption(view: OperationView, series: readonly SeriesPoint[]): echarts.EChartsCoreOption {
  const first = series[0]?.at ?? view.startedAt;
  const end = endOf(series) ?? first + 1_000;
  const title = `${view.verb} ${shortNameOf(view.target)}`;
  const subtext = `${formatTarget(view.target)}, operation ${view.opId}, times in UTC`;
  const { chart, sides } = recordOf(view.verb).words;
  const words: Words = { ...chart, ...sides, bad: chart.bad };
  const text = { fontFamily: FONT, color: INK };
  const xAxis = (gridIndex: number, labels: boolean): object => ({
    gridIndex,
    type: 'value',
    interval: (end - first) / 4,
    min: first,
    max: end,
    axisLabel: { ...text, fontSize: 17, show: labels, hideOverlap: true, formatter: clock },
    axisLine: { lineStyle: { color: '#999999' } },
    axisTick: { show: labels },
    splitLine: { show: false },
  });
  const yAxis = (gridIndex: number, name: string, max: number, unit: string, right = false): object => ({
    gridIndex,
    name,
    type: 'value',
    min: 0,
    max,
    position: right ? 'right' : 'left',
    interval: max / (String(max).startsWith('5') ? 5 : 4),
    nameLocation: 'end',
    // Above the label of the mark.
    nameGap: 28,
    nameTextStyle: {
      ...text,
      fontSize: 18,
      fontWeight: 'bold',
      align: right ? 'right' : 'left',
      padding: right ? [0, -52, 4, 0] : [0, 0, 4, -56],
    },
    axisLabel: { ...text, fontSize: 17, color: right ? WEIGHT : INK, formatter: `{value}${unit}` },
    splitLine: { show: !right, lineStyle: { color: '#E3E3E3' } },
  });
  const rates = series.flatMap((one) => [perSecond(one, CHANGED), perSecond(one, REST)]);
  const failures = series.map((one) => failurePercent(one) ?? 0);
  return {
    animation: false,
    backgroundColor: '#FFFFFF',
    textStyle: text,
    title: {
      text: title,
      subtext,
      left: 14,
      top: 10,
      itemGap: 4,
      textStyle: { ...text, fontSize: fitting(title, 24), fontWeight: 'bold' },
      subtextStyle: { ...text, fontSize: fitting(subtext, 16), color: WEIGHT },
    },
    legend: {
      left: 14,
      top: 68,
      itemWidth: 40,
      itemGap: 26,
      textStyle: { ...text, fontSize: 18 },
      data: [words.rest, words.changed, words.share],
    },
    grid: [
      { left: 70, right: 66, top: 150, height: 128 },
      { left: 70, right: 66, top: 356, height: 136 },
    ],
    xAxis: [xAxis(0, false), xAxis(1, true)],
    yAxis: [
      yAxis(0, words.rate, niceMax(rates, 1), ''),
      yAxis(1, words.bad, niceMax(failures, 1), '%'),
      yAxis(
        1,
        words.axis,
        niceMax(
          series.map((one) => one.percent ?? 0),
          10,
        ),
        '%',
        true,
      ),
    ],
    series: [...lines(series, words), mark(view, series, 0), mark(view, series, 1)],
  };
}

function lines(series: readonly SeriesPoint[], words: Words): LineSeriesOption[] {
  const base = { type: 'line', symbol: 'none' } as const;
  const data = (value: (point: SeriesPoint) => number | null): Point[] =>
    series.flatMap((one, index) => [...gapBefore(series, index), [one.at + one.ms / 2, value(one)] satisfies Point]);
  return [
    {
      ...base,
      name: words.rest,
      data: data((one) => perSecond(one, REST)),
      lineStyle: { color: STABLE, width: 2.5, type: 'dashed' },
      itemStyle: { color: STABLE },
    },
    {
      ...base,
      name: words.changed,
      data: data((one) => perSecond(one, CHANGED)),
      lineStyle: { color: CANARY, width: 3 },
      itemStyle: { color: CANARY },
    },
    {
      ...base,
      name: 'failed',
      xAxisIndex: 1,
      yAxisIndex: 1,
      data: data(failurePercent),
      connectNulls: false,
      lineStyle: { color: CANARY, width: 3 },
      areaStyle: { color: CANARY, opacity: 0.15 },
    },
    {
      ...base,
      name: words.share,
      xAxisIndex: 1,
      yAxisIndex: 2,
      data: shareSteps(series),
      step: 'end',
      lineStyle: { color: WEIGHT, width: 2, type: 'dotted' },
      itemStyle: { color: WEIGHT },
    },
  ];
}

/** An upright line where it was decided that the change is harmful, in both panels. */
function mark(view: OperationView, series: readonly SeriesPoint[], panel: 0 | 1): LineSeriesOption {
  const verdict = view.outcome?.verdict ?? view.verdict;
  const first = series[0]?.at ?? 0;
  const span = (series.at(-1)?.at ?? 0) - first;
  const here = verdict?.kind === 'harmful' && verdict.decidedAt >= first ? [verdict.decidedAt] : [];
  const data = here.map((xAxis) => ({
    xAxis,
    lineStyle: { color: HARM, width: 2, type: 'solid' as const },
    label: {
      show: panel === 1,
      formatter: 'harmful, rolled back',
      align: xAxis - first > span / 2 ? ('right' as const) : ('left' as const),
      fontFamily: FONT,
      fontSize: 17,
      color: HARM,
    },
  }));
  return { type: 'line', symbol: 'none', data: [], xAxisIndex: panel, yAxisIndex: panel, markLine: { symbol: 'none', silent: true, data } };
}

/** The largest size up to `most` at which the text fits the chart's width; 0.62 em is a wide letter of this font. */
function fitting(text: string, most: number): number {
  return Math.max(8, Math.min(most, Math.floor((CHART_WIDTH - 40) / (text.length * 0.62))));
}
