import type { Score, TraceComparison } from '@captionfleet/scaling/simulator/comparison';

const [width, panelHeight, left, right] = [920, 150, 60, 900];
const colours = { wished: '#c8553d', ready: '#3b6ea5', waiting: '#b9bec7' } as const;

/** The replicas that each policy wished for and had, over what waited, one panel a policy. */
export function drawReplicas({ trace, ours, rivals }: TraceComparison): string {
  const scores = [ours, ...rivals];
  const panels = scores.map(
    (score, index) =>
      `<g transform="translate(0 ${60 + index * (panelHeight + 24)})">${panel(score, trace.seconds)}</g>`,
  );
  const height = 72 + scores.length * (panelHeight + 24);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#222">`,
    `<title>${trace.name}: replicas under each policy</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="20" y="26" font-size="16" font-weight="600">${trace.name}: ${trace.about}</text>`,
    `<text x="20" y="46" fill="${colours.ready}">replicas ready</text><text x="130" y="46" fill="${colours.wished}">wished for</text><text x="220" y="46" fill="#777">images that wait (grey, to the panel's own scale)</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function panel({ policy, usd, late, looks }: Score, seconds: number): string {
  const shown = looks.filter((_, index) => index % Math.ceil(looks.length / 500) === 0);
  const end = Math.max(seconds, shown.at(-1)?.at ?? 0);
  const most = Math.max(1, ...looks.map(({ ready, wished }) => Math.max(ready, wished)));
  const mostWaiting = Math.max(1, ...looks.map(({ waiting }) => waiting));
  const x = (at: number): string => (left + ((right - left) * at) / end).toFixed(1);
  const y = (share: number): string => (panelHeight - (panelHeight - 24) * share).toFixed(1);
  const path = (value: (look: Score['looks'][number]) => number): string =>
    shown.map((look, index) => `${index === 0 ? 'M' : 'L'}${x(look.at)} ${y(value(look))}`).join('');
  return [
    `<text x="${left}" y="14" font-weight="600">${policy}: ${late.interactive + late.bulk} late, ${usd.toFixed(2)} USD</text>`,
    `<line x1="${left}" x2="${right}" y1="${y(0)}" y2="${y(0)}" stroke="#ccc"/>`,
    `<text x="${left - 6}" y="${y(1)}" text-anchor="end" fill="#777">${most}</text><text x="${left - 6}" y="${y(0)}" text-anchor="end" fill="#777">0</text>`,
    `<path d="${path(({ waiting }) => waiting / mostWaiting)}L${x(shown.at(-1)?.at ?? 0)} ${y(0)}L${x(0)} ${y(0)}Z" fill="${colours.waiting}" opacity="0.5"/>`,
    `<path d="${path(({ wished }) => wished / most)}" fill="none" stroke="${colours.wished}"/>`,
    `<path d="${path(({ ready }) => ready / most)}" fill="none" stroke="${colours.ready}" stroke-width="1.5"/>`,
  ].join('');
}
