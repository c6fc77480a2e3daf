import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { captionfleet } from '../../../test/support/command-line.ts';
import { severalHeads } from '../../../test/support/several-heads.ts';

const golden = new URL('../../../test/fixtures/golden/', import.meta.url).pathname;
const picture = join(golden, 'images', '01-landscape.jpg');
const other = join(golden, 'images', '02-portrait.png');
let scratch: string;
/** With all heads. */
let model: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-task-'));
  model = join(scratch, 'checkpoint');
  await mkdir(model);
  await severalHeads(model, ['BlipForConditionalGeneration', 'BlipForQuestionAnswering']);
});
after(() => rm(scratch, { recursive: true }));

const run = (...commandArguments: readonly string[]) =>
  captionfleet([...commandArguments], { CAPTIONFLEET_HOME: join(scratch, 'home') });
const jsonLines = (stdout: string) => {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
};

test('match prints for each image and text the probability and the cosine', async () => {
  const texts = ['--text', 'a cat', '--text', 'two dogs'];
  const plain = await run('match', picture, other, '--model', model, ...texts);
  assert.equal(plain.code, 0, plain.stderr);
  const lines = plain.stdout.trim().split('\n');
  assert.deepEqual(
    lines.map((line) => /^(.+): [01]\.\d{4} -?[01]\.\d{4} (.+)$/.exec(line)?.slice(1)),
    [
      [picture, 'a cat'],
      [picture, 'two dogs'],
      [other, 'a cat'],
      [other, 'two dogs'],
    ],
  );
  const [first] = jsonLines((await run('match', picture, '--model', model, '--json', ...texts)).stdout);
  assert.deepEqual(Object.keys(first), ['file', 'matches', 'timings', 'image', 'model']);
  assert.ok(
    lines[0]?.includes(` ${first.matches[0].probability.toFixed(4)} ${first.matches[0].similarity.toFixed(4)} `),
  );
});

test('embed prints vectors, and writes them with --out beside what another task wrote', async () => {
  const out = join(scratch, 'out');
  assert.equal((await run('caption', picture, '--model', model, '--out', out)).code, 0);
  const plain = await run('embed', picture, '--model', model, '--out', out, '--text', 'a cat');
  assert.equal(plain.code, 0, plain.stderr);
  const [image = '', text = ''] = plain.stdout.trim().split('\n');
  assert.equal(image.slice(picture.length + 2).split(' ').length, 32);
  assert.ok(text.startsWith(`${picture}: a cat: `));
  const files = (await readdir(out)).sort();
  assert.equal(files.length, 2);
  const file = files.find((name) => name.endsWith('.embed.json')) ?? assert.fail(files.join());
  const { embedding } = JSON.parse(await readFile(join(out, file), 'utf8'));
  assert.equal(embedding.image.join(' '), image.slice(picture.length + 2));
});

test('answer prints each question and its answer, and takes the flags of generation', async () => {
  const flags = [
    '--question',
    'what is it?',
    '--question',
    'where',
    '--max-new-tokens',
    '3',
    '--min-new-tokens',
    '3',
    '--model',
    model,
  ];
  const plain = await run('answer', picture, ...flags);
  assert.equal(plain.code, 0, plain.stderr);
  const [first] = jsonLines((await run('answer', picture, '--json', ...flags)).stdout);
  assert.deepEqual(
    plain.stdout.split('\n').slice(0, -1),
    first.answers.map(({ question, text }: { question: string; text: string }) => `${picture}: ${question} ${text}`),
  );
  assert.ok(first.answers.every(({ tokens }: { tokens: number[] }) => tokens.length === 4));
});

test('what a task lacks or a model has no head for is said before any image is read', async () => {
  const refused = async (...commandArguments: readonly string[]) => {
    const { code, stderr, stdout } = await run(...commandArguments);
    assert.equal(stdout, '');
    return [code, stderr.trim()];
  };
  assert.deepEqual(await refused('match', picture), [
    2,
    'captionfleet: OPTION_INVALID: --text: must hold at least one',
  ]);
  assert.deepEqual(await refused('answer', picture, '--question', 'a', '--question', ''), [
    2,
    'captionfleet: OPTION_INVALID: --question number 2: must not be empty',
  ]);
  assert.equal((await refused('answer', picture, '--question', 'a', '--prompt', 'a'))[0], 2);
  const captioner = join(golden, 'captioner');
  assert.deepEqual(await refused('embed', picture, '--model', captioner), [
    1,
    'captionfleet: TASK_UNSUPPORTED: model captioner has no head to match; it can caption',
  ]);
});
