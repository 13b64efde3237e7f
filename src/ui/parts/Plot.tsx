/** One small curve on uPlot: shared x, shared cursor, the selected update as an upright line. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useShownTheme } from '../shell/theme.ts';
import {
  axisTicks,
  COLOURS,
  DASHES,
  tickIn,
  yRange,
  type ChartProps,
  type Curve,
  type CurveSeries,
} from './curve_data.ts';
import 'uplot/dist/uPlot.min.css';

const SYNC = uPlot.sync('updates');
const AXIS_SIZE = 22;
/** There is no half update. */
const WHOLE_UPDATES = [1, 2, 5].flatMap((digit) => [1, 10, 100, 1e3, 1e4, 1e5].map((ten) => digit * ten)).toSorted((a, b) => a - b); // prettier-ignore

const cssColour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rem = (): number => parseFloat(getComputedStyle(document.documentElement).fontSize);

function seriesOptions({ label, style }: CurveSeries): uPlot.Series {
  const stroke = (): string => cssColour(COLOURS[style]);
  if (style === 'points')
    return { label, stroke, paths: () => null, points: { show: true, size: 7, fill: stroke } };
  return {
    label,
    stroke,
    width: 1.75,
    dash: DASHES[style],
    spanGaps: true,
    points: { show: (_plot, _series, first, last) => last - first < 2, size: 4 },
  };
}

function axes(curve: Curve, withX: boolean): uPlot.Axis[] {
  const common = {
    stroke: () => cssColour('--ink-faint'),
    font: `${Math.round(rem() * 0.72)}px ${cssColour('--sans')}`,
    grid: { stroke: () => cssColour('--line'), width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...common,
      show: true,
      incrs: WHOLE_UPDATES,
      size: withX ? AXIS_SIZE : 4,
      values: withX ? undefined : (_plot, at) => at.map(() => ''),
    },
    {
      ...common,
      size: Math.round(rem() * 3),
      space: 12, // two labels even in a low chart
      splits: (plot, _axis, low, high) => axisTicks(low, high, plot.height - AXIS_SIZE),
      values: (_plot, at) => at.map((value) => tickIn(curve.unit, value)),
    },
  ];
}

function chartOptions(curve: Curve, withX: boolean, selectedX: () => number | null): uPlot.Options {
  return {
    width: 100,
    height: 60,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: SYNC.key }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: false },
      y: { range: (_plot, low, high) => yRange(curve, low, high) },
    },
    axes: axes(curve, withX),
    series: [{}, ...curve.series.map(seriesOptions)],
    hooks: {
      draw: [
        (plot) => {
          const at = selectedX();
          if (at === null) return;
          const x = Math.round(plot.valToPos(at, 'x', true));
          plot.ctx.save();
          plot.ctx.strokeStyle = cssColour('--ink');
          plot.ctx.lineWidth = devicePixelRatio;
          plot.ctx.setLineDash([2 * devicePixelRatio, 2 * devicePixelRatio]);
          plot.ctx.beginPath();
          plot.ctx.moveTo(x, plot.bbox.top);
          plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
          plot.ctx.stroke();
          plot.ctx.restore();
        },
      ],
    },
  };
}

export default function Plot(props: ChartProps) {
  const { curve, x, xMax, withX, selected, summary } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  const theme = useShownTheme();
  const lines = curve.series.map(({ label, style }) => `${label} ${style}`).join(); // a plot is made for its lines
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(
      chartOptions(latest.current.curve, withX, () => latest.current.selected),
      [[]],
      element,
    );
    plot.current = made;
    const fit = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientHeight > 0)
        made.setSize({ width: element.clientWidth, height: element.clientHeight });
    });
    fit.observe(element);
    const pick = (): void => {
      const index = made.cursor.idx;
      if (index != null) latest.current.onPick(latest.current.x[index]);
    };
    const move = (): void => latest.current.onPoint(made.cursor.idx ?? null);
    const leave = (): void => latest.current.onPoint(null);
    made.over.addEventListener('click', pick);
    made.over.addEventListener('mousemove', move);
    made.over.addEventListener('mouseleave', leave);
    return () => {
      fit.disconnect();
      made.destroy();
    };
  }, [withX, theme, lines]);

  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.batch(() => {
      made.setData([x, ...curve.series.map(({ values }) => values)] as uPlot.AlignedData, false);
      made.setScale('x', { min: 0, max: Math.max(xMax, x.length - 1, 1) });
    });
    made.redraw();
  }, [curve, x, xMax, selected, theme, lines]);

  return <div ref={box} className="chart" role="img" aria-label={summary} />;
}
