/**
 * Draws the icons that the scenes are made of, once, into one file of raw pixels.
 *
 *   npm install --prefix icons @resvg/resvg-js@2.6.2 @iconify-json/fluent-emoji-flat@1.2.6 \
 *     @iconify-json/fluent-emoji@1.2.7 @iconify-json/noto@1.2.9 \
 *     @iconify-json/twemoji@1.2.5 @iconify-json/openmoji@1.2.29
 *   node rasterize_icons.mjs icons nouns.json
 *
 * Writes icons/atlas.rgba (style, noun, row, column, channel; straight alpha) and icons/atlas.json.
 * Twemoji and OpenMoji are drawn for evaluation alone: no training scene and no committed picture uses them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const side = 128;
const styles = ['fluent-emoji-flat', 'fluent-emoji', 'noto', 'twemoji', 'openmoji'];

const [folder, nounsFile] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(resolve(folder, 'package.json'));
const { Resvg } = require('@resvg/resvg-js');
/** @type {Record<string, string>} the caption's noun to the icon's name, which all five sets share */
const iconByNoun = JSON.parse(readFileSync(nounsFile, 'utf8'));

const tiles = styles.flatMap((style) => {
  const set = require(`@iconify-json/${style}/icons.json`);
  return Object.values(iconByNoun).map((name) => drawIcon(set, name));
});
writeFileSync(resolve(folder, 'atlas.rgba'), Buffer.concat(tiles));
writeFileSync(resolve(folder, 'atlas.json'), JSON.stringify({ side, styles, nouns: Object.keys(iconByNoun) }));
console.log(`${tiles.length} icons of ${side} px`);

function drawIcon(set, name) {
  let key = name;
  while (set.aliases?.[key]) key = set.aliases[key].parent;
  const icon = set.icons[key];
  if (!icon) throw new Error(`${set.prefix} has no icon named ${name}`);
  const box = [icon.left ?? 0, icon.top ?? 0, icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${box.join(' ')}" width="${side}" height="${side}">${icon.body}</svg>`;
  const image = new Resvg(svg, { fitTo: { mode: 'width', value: side } }).render();
  if (image.width !== side || image.height !== side) throw new Error(`${set.prefix}:${name} is not square`);
  return Buffer.from(image.pixels);
}
