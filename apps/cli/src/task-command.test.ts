import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
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
  const [image = '', line = ''] = plain.stdout.trim().split('\n');
  assert.equal(image.slice(picture.length + 2).split(' ').length, 32);
  assert.ok(line.startsWith(`${picture}: a cat: `));
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

test('files of a directory that are left out are counted, and what makes no sense is said', async () => {
  const directory = join(scratch, 'mixed');
  await mkdir(directory);
  await cp(picture, join(directory, 'a.JPG'));
  for (const name of ['a.heic', 'b.svg', '.hidden']) await writeFile(join(directory, name), 'x');
  const mixed = await run('match', directory, '--model', model, '--text', 'a cat');
  assert.equal(mixed.code, 0);
  assert.match(mixed.stderr, /^captionfleet: .*mixed: 2 files left out, .*\.gif\n$/);

  const missing = await run('match', 'nope.jpg', '--model', model, '--text', 'a cat');
  assert.equal(
    missing.stderr,
    'captionfleet: SOURCE_NOT_FOUND: nope.jpg: there is no such file, or it cannot be read\n',
  );
  const threads = await run('match', picture, '--threads', '0', '--text', 'a cat');
  assert.deepEqual([threads.code, /must be at least 1/.test(threads.stderr)], [2, true]);
});

test('CAPTIONFLEET_ALLOW_PRIVATE_HOSTS counts, and a refusal names it', async () => {
  const server = createServer((_, response) => createReadStream(picture).pipe(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const task = ['match', `http://${host}/a.jpg`, '--model', model, '--text', 'a cat'];
    const refused = await run(...task);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, new RegExp(`CAPTIONFLEET_ALLOW_PRIVATE_HOSTS.*${host}`));
    const home = join(scratch, 'home');
    const allowed = await captionfleet(task, { CAPTIONFLEET_HOME: home, CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: host });
    assert.deepEqual([allowed.code, allowed.stderr], [0, '']);
  } finally {
    server.close();
  }
});

test('a full disk behind standard output, and a home that cannot be made, end with 1 and a sentence', async () => {
  const main = new URL('./main.ts', import.meta.url).pathname;
  const task = [process.execPath, main, 'match', picture, '--model', model, '--text', 'a cat'];
  const child = spawn('sh', ['-c', `"$@" > /dev/full`, 'sh', ...task], {
    env: { ...process.env, CAPTIONFLEET_HOME: join(scratch, 'home') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  assert.deepEqual([code, stderr], [1, 'captionfleet: OUTPUT_FAILED: standard output cannot be written (ENOSPC)\n']);

  for (const [environment, commandArguments] of [
    [{ CAPTIONFLEET_HOME: '/proc/nothing' }, ['up']],
    [{}, ['match', picture, '--model', model, '--text', 'a cat', '--out', '/proc/nothing/out']],
  ] as const) {
    const home = { CAPTIONFLEET_HOME: join(scratch, 'home'), ...environment };
    const failed = await captionfleet(commandArguments, home);
    assert.equal(failed.code, 1);
    assert.match(
      failed.stderr,
      /^captionfleet: CONFIG_INVALID: .*\/proc\/nothing.* cannot be made a directory \(ENOENT\)\n$/,
    );
  }
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
