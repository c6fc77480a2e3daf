import { type Dashboard, type Panel, panelsOf } from '../../infra/grafana/source/dashboard.ts';
import type { Series, TestPrometheus } from '../support/prometheus.ts';

/** An expression with what Grafana puts in for its variables: windows of `seconds`, every worker. */
export const askable = (expr: string, seconds = 10): string =>
  expr.replaceAll('$__rate_interval', `${seconds}s`).replaceAll('$worker', '.+');

interface Range {
  /** Seconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

const [panelWidth, panelHeight, gap] = [460, 200, 16];
const colours = ['#3b6ea5', '#c8553d', '#588157', '#8e6c8a', '#d4a017', '#4a4e69', '#2a9d8f', '#9c6644'];

/** A dashboard's panels as SVG, two a row, of what a Prometheus has of a time. Each is drawn over time, whatever Grafana draws. */
export async function drawDashboard(
  dashboard: Dashboard,
  prometheus: Pick<TestPrometheus, 'queryRange'>,
  range: Range,
): Promise<string> {
  const panels = await Promise.all(
    panelsOf(dashboard).map(async (panel) => ({ panel, lines: await readLines(panel, prometheus, range) })),
  );
  const height = 56 + Math.ceil(panels.length / 2) * (panelHeight + gap);
  const drawn = panels.map(({ panel, lines }, position) => {
    const [x, y] = [gap + (position % 2) * (panelWidth + gap), 48 + Math.floor(position / 2) * (panelHeight + gap)];
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, lines, range)}</g>`;
  });
  const minutes = ((range.end - range.start) / 60).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${2 * panelWidth + 3 * gap} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222">`,
    `<title>Captionfleet: ${dashboard.title}</title>`,
    '<rect width="100%" height="100%" fill="#f4f5f7"/>',
    text(gap, 30, `Captionfleet: ${dashboard.title} (${minutes} minutes)`, 'font-size="16" font-weight="600"'),
    ...drawn,
    '</svg>\n',
  ].join('\n');
}

interface Line {
  readonly name: string;
  readonly points: Series['values'];
}

async function readLines(
  { queries }: Panel,
  prometheus: Pick<TestPrometheus, 'queryRange'>,
  range: Range,
): Promise<Line[]> {
  const found = await Promise.all(
    queries.map(async ({ expr, legend }) => {
      const series = await prometheus.queryRange(askable(expr), range);
      return series.map(({ labels, values }) => ({
        name: legend.replaceAll(/\{\{(\w+)\}\}/g, (_, label) => labels[label] ?? ''),
        points: values.filter(([, value]) => Number.isFinite(value)),
      }));
    }),
  );
  return found.flat().filter(({ points }) => points.length > 0);
}

function drawPanel({ title, unit }: Panel, lines: readonly Line[], { start, end }: Range): string {
  const [left, top, right, bottom] = [44, 28, panelWidth - 10, panelHeight - 46];
  const greatest = Math.max(...lines.flatMap(({ points }) => points.map(([, value]) => value)), 1e-9);
  const x = (at: number): string => (left + ((right - left) * (at - start)) / (end - start)).toFixed(1);
  const y = (value: number): string => (bottom - ((bottom - top) * value) / greatest).toFixed(1);
  const paths = lines.map(({ points }, index) => {
    const steps = points.map(([at, value], position) => `${position === 0 ? 'M' : 'L'}${x(at)} ${y(value)}`).join('');
    return `<path d="${steps}" fill="none" stroke="${colourOf(index)}" stroke-width="1.5"/>`;
  });
  const shown = lines.slice(0, 6);
  const names = shown.map(({ name }, index) => {
    const [column, row] = [index % 3, Math.floor(index / 3)];
    return text(left + column * 136, bottom + 20 + row * 14, cut(name, 22), `fill="${colourOf(index)}"`);
  });
  return [
    `<rect width="${panelWidth}" height="${panelHeight}" rx="4" fill="#fff" stroke="#d8dbe0"/>`,
    text(10, 18, title, 'font-size="12" font-weight="600"'),
    ...[0, 0.5, 1].flatMap((share) => [
      `<line x1="${left}" x2="${right}" y1="${y(share * greatest)}" y2="${y(share * greatest)}" stroke="#e6e8eb"/>`,
      text(left - 4, Number(y(share * greatest)) + 4, amount(share * greatest, unit), 'text-anchor="end" fill="#777"'),
    ]),
    ...paths,
    ...names,
    lines.length > shown.length
      ? text(right, bottom + 34, `and ${lines.length - shown.length} more`, 'text-anchor="end" fill="#777"')
      : '',
  ].join('');
}

const colourOf = (index: number): string => colours[index % colours.length] ?? '#222';

function amount(value: number, unit: string): string {
  if (unit === 'percentunit') return `${(100 * value).toPrecision(2)} %`;
  if (unit === 'bytes') return `${Math.round(value / 2 ** 20)} Mi`;
  const digits = value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
  return unit === 's' ? `${digits} s` : digits;
}

const cut = (name: string, length: number): string => (name.length > length ? `${name.slice(0, length - 1)}…` : name);

const text = (x: number, y: number, content: string, attributes: string): string =>
  `<text x="${x}" y="${y}" ${attributes}>${content.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`)}</text>`;
