import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import fc from 'fast-check';
import type { ModelDirectory } from './model-directory.ts';
import { openTokenizer, type Tokenizer } from './tokenizer.ts';

interface Case {
  readonly text: string;
  readonly encoded: readonly number[];
  readonly decoded: string;
}

const fixtures = new URL('../../../test/fixtures/', import.meta.url);
/** Made by make.py beside it. */
const cases: readonly Case[] = JSON.parse(readFileSync(new URL('tokenizer/expected.json', fixtures), 'utf8'));
const golden = JSON.parse(readFileSync(new URL('golden/expected.json', fixtures), 'utf8'));
const tokenizerPath = fileURLToPath(new URL('golden/captioner/tokenizer.json', fixtures));
const vocabulary: Readonly<Record<string, number>> = JSON.parse(readFileSync(tokenizerPath, 'utf8')).model.vocab;
const specialIds = new Set([0, 100, 101, 102, 103]);

/** The two members that a tokenizer needs of a model directory. */
const openFile = (tokenizer: 'tokenizer.json' | 'vocab.txt', path: string): Promise<Tokenizer> =>
  openTokenizer({ manifest: { tokenizer }, file: () => path } as unknown as ModelDirectory);

let scratch: string;
let tokenizers: readonly Tokenizer[];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-tokenizer-'));
  const vocabularyPath = join(scratch, 'vocab.txt');
  const pieces = Object.entries(vocabulary).sort(([, left], [, right]) => left - right);
  await writeFile(vocabularyPath, pieces.map(([piece]) => `${piece}\n`).join(''));
  tokenizers = await Promise.all([openFile('tokenizer.json', tokenizerPath), openFile('vocab.txt', vocabularyPath)]);
});
after(() => rm(scratch, { recursive: true, force: true }));

for (const { text, encoded, decoded } of cases) {
  const name = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  test(`${name} has the ids of transformers, from tokenizer.json and from vocab.txt, and they the text`, () => {
    for (const tokenizer of tokenizers) {
      assert.deepEqual(tokenizer.encode(text), encoded);
      assert.equal(tokenizer.decode(encoded), decoded);
    }
  });
}

test('token ids of the golden captions give the texts of transformers', () => {
  const runs: readonly { tokens: readonly (readonly number[])[]; text: readonly string[] }[] = [
    ...Object.values<never>(golden.captioner.runs),
    ...Object.values<never>(golden.vqa.runs ?? {}),
  ];
  const texts = runs.flatMap(({ tokens, text }) => tokens.map((ids, index) => [ids, text[index]] as const));
  assert.ok(texts.length >= 80);
  for (const [ids, text] of texts) for (const tokenizer of tokenizers) assert.equal(tokenizer.decode(ids), text);
});

test('special tokens and ids beyond the vocabulary decode to nothing', () => {
  for (const tokenizer of tokenizers) {
    assert.equal(tokenizer.decode([]), '');
    assert.equal(tokenizer.decode([30522]), '');
    assert.equal(tokenizer.decode([30522, 102, 0, 0]), '');
    assert.equal(tokenizer.decode([30522, 1037, 30523, 1997, 102]), 'a of');
  }
});

test('no text at all makes a special token other than [UNK], an id beyond the vocabulary, or an exception', () => {
  const pieces = fc.constantFrom(
    '[SEP]',
    '[CLS]',
    '[PAD]',
    '[DEC]',
    ' ',
    '##',
    '\u0301',
    '\ud83d',
    '𠀀',
    "n't",
    '__proto__',
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc
      .array(fc.oneof(pieces, fc.string({ unit: 'grapheme', maxLength: 8 })), { maxLength: 20 })
      .map((all) => all.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const [ids, sameIds] = tokenizers.map((tokenizer) => tokenizer.encode(text));
      assert.deepEqual(ids, sameIds);
      for (const id of ids ?? []) {
        assert.ok(Number.isInteger(id) && id < Object.keys(vocabulary).length);
        assert.ok(id === 100 || !specialIds.has(id));
      }
    }),
    { numRuns: 1000 },
  );
});

test('a file that is no tokenizer is MODEL_UNSUPPORTED', async () => {
  for (const content of ['', '{', '{}', '{"model":{"type":"WordPiece"}}', '[]', 'null']) {
    const path = join(scratch, 'broken.json');
    await writeFile(path, content);
    await assert.rejects(
      openFile('tokenizer.json', path),
      (error) => error instanceof CaptionfleetError && error.code === 'MODEL_UNSUPPORTED',
      content,
    );
  }
});
