/** A bar chart as SVG: no library is worth its weight for this. */
export function drawBars(title: string, bars: readonly { readonly label: string; readonly value: number }[]): string {
  const [labelWidth, barWidth, rowHeight] = [180, 420, 34];
  const greatest = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ label, value }, index) => {
    const y = 48 + index * rowHeight;
    const width = (barWidth * value) / greatest;
    return [
      `<text x="${labelWidth - 10}" y="${y + 17}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${width.toFixed(1)}" height="24" rx="3" fill="#3b6ea5"/>`,
      `<text x="${(labelWidth + width + 8).toFixed(1)}" y="${y + 17}">${value.toFixed(2)}</text>`,
    ].join('');
  });
  const [width, height] = [labelWidth + barWidth + 80, 64 + bars.length * rowHeight];
  const style = 'font-family="system-ui, sans-serif" font-size="14" fill="#222"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ${style}><rect width="100%" height="100%" fill="#fff"/><text x="20" y="28" font-size="16" font-weight="600">${escaped(title)}</text>${rows.join('')}</svg>\n`;
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
