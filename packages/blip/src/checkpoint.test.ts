import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ErrorCode } from '@captionfleet/protocol/errors';
import { encodeSafetensors, encodeTensors, shardCheckpoint } from '../../../test/support/checkpoint-files.ts';
import { Checkpoint } from './checkpoint.ts';

let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
});
after(() => rm(scratch, { recursive: true }));

async function directoryWith(files: Readonly<Record<string, Uint8Array | string>>): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'checkpoint-'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

const rejection = (code: ErrorCode, message: RegExp) => ({ name: 'CaptionfleetError', code, message });

async function refuses(files: Record<string, Uint8Array | string>, code: ErrorCode, message: RegExp): Promise<void> {
  const directory = await directoryWith(files);
  await assert.rejects(
    async () => {
      await using _ = await Checkpoint.open(directory);
    },
    rejection(code, message),
  );
}

const bytes = (array: ArrayBufferView): Uint8Array =>
  new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);

test('F32, F16 and BF16 tensors are read as float32', async () => {
  const values = [1, -2.5, 0.15625, -0, 3.0517578125e-5, 65504];
  const bfloat = Float32Array.of(1, -2.5, 0.15625, -0, 2 ** -15, 65280);
  const halves = Uint16Array.from(new Uint32Array(bfloat.buffer), (word) => word >>> 16);
  const shape = [2, 3];
  const directory = await directoryWith({
    'model.safetensors': encodeTensors(
      new Map([
        ['half', { dtype: 'F16', shape, data: bytes(Float16Array.from(values)) }],
        ['brain', { dtype: 'BF16', shape, data: bytes(halves) }],
        ['full', { dtype: 'F32', shape, data: bytes(Float32Array.from(values)) }],
      ]),
    ),
  });
  await using checkpoint = await Checkpoint.open(directory);
  assert.deepEqual(await checkpoint.weight('full', shape).read(), Float32Array.from(values));
  assert.deepEqual(await checkpoint.weight('half', shape).read(), Float32Array.from(values));
  assert.deepEqual(await checkpoint.weight('brain', shape).read(), bfloat);
});

test('a checkpoint in several files reads as one', async () => {
  const tensors = new Map(
    Array.from({ length: 5 }, (_, index) => [
      `tensor ${index}`,
      { dtype: 'F32', shape: [1], data: bytes(Float32Array.of(index)) },
    ]),
  );
  const directory = await directoryWith({ 'model.safetensors': encodeTensors(tensors) });
  await shardCheckpoint(directory, 3);
  await using checkpoint = await Checkpoint.open(directory);
  for (let index = 0; index < 5; index += 1) {
    assert.deepEqual(await checkpoint.weight(`tensor ${index}`, [1]).read(), Float32Array.of(index));
  }
});

test('a missing, misshapen or mistyped tensor is refused with file, tensor and shape', async () => {
  const directory = await directoryWith({
    'model.safetensors': encodeTensors(
      new Map([
        ['a', { dtype: 'F32', shape: [2, 1], data: new Uint8Array(8) }],
        ['ids', { dtype: 'I64', shape: [1], data: new Uint8Array(8) }],
      ]),
    ),
  });
  await using checkpoint = await Checkpoint.open(directory);
  const refusal = (message: RegExp) => rejection('MODEL_UNSUPPORTED', message);
  assert.throws(() => checkpoint.weight('b', [3, 4]), refusal(/^model\.safetensors: no tensor b of shape \[3, 4\]$/));
  assert.throws(
    () => checkpoint.weight('a', [1, 2]),
    refusal(/^model\.safetensors: tensor a has shape \[2, 1\], expected \[1, 2\]$/),
  );
  assert.throws(() => checkpoint.weight('ids', [1]), refusal(/tensor ids has type I64, expected F32, F16 or BF16/));
});

test('values that are not finite are refused when they are read', async () => {
  const data = bytes(Float32Array.of(1, Number.NaN));
  const directory = await directoryWith({
    'model.safetensors': encodeTensors(new Map([['a', { dtype: 'F32', shape: [2], data }]])),
  });
  await using checkpoint = await Checkpoint.open(directory);
  await assert.rejects(
    checkpoint.weight('a', [2]).read(),
    rejection('MODEL_CORRUPT', /model\.safetensors: tensor a .*not finite/),
  );
});

const entry = (begin: number, end: number, shape = [(end - begin) / 4]) =>
  JSON.stringify({ dtype: 'F32', shape, data_offsets: [begin, end] });
const eightBytes = new Uint8Array(8);
const damaged: readonly [what: string, file: Uint8Array, message: RegExp][] = [
  ['is empty', new Uint8Array(0), /0 bytes are too few/],
  ['is a web page', Buffer.from('<!doctype html><title>Not found</title>'), /no safetensors file/],
  ['has a header longer than the file', encodeSafetensors('{}').fill(0xff, 0, 8), /states a header of \d+ bytes/],
  ['has a header that is not JSON', encodeSafetensors('{"a":'), /the header is not JSON/],
  ['has a header that is a list', encodeSafetensors('[]'), /no JSON object/],
  [
    'has an entry without a type',
    encodeSafetensors('{"a":{"shape":[],"data_offsets":[0,0]}}'),
    /tensor a is malformed/,
  ],
  [
    'has an offset below zero',
    encodeSafetensors('{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}', eightBytes),
    /tensor a is malformed/,
  ],
  [
    'names a tensor twice',
    encodeSafetensors(`{"a":${entry(0, 4)},"b":${entry(4, 8)},"\\u0061":${entry(4, 8)}}`, eightBytes),
    /names a twice/,
  ],
  [
    'has overlapping tensors',
    encodeSafetensors(`{"a":${entry(0, 8)},"b":${entry(4, 8)}}`, eightBytes),
    /tensor b overlaps/,
  ],
  ['is cut off', encodeSafetensors(`{"a":${entry(0, 12)}}`, eightBytes), /tensor a ends 4 bytes after the file/],
  ['has bytes of no tensor inside', encodeSafetensors(`{"a":${entry(4, 8)}}`, eightBytes), /4 bytes before tensor a/],
  ['has bytes of no tensor behind', encodeSafetensors(`{"a":${entry(0, 4)}}`, eightBytes), /4 bytes at the end/],
  ['has a shape of another size', encodeSafetensors(`{"a":${entry(0, 8, [3])}}`, eightBytes), /F32\[3\] occupies 8/],
];
for (const [what, file, message] of damaged) {
  test(`a file that ${what} is refused as corrupt`, () =>
    refuses({ 'model.safetensors': file }, 'MODEL_CORRUPT', new RegExp(`^model\\.safetensors: .*${message.source}`)));
}

test('a directory without weights, or without one of its shards, is not found', async () => {
  await refuses({ 'pytorch_model.pt': 'x' }, 'MODEL_NOT_FOUND', /has none of model\.safetensors, .*pytorch_model\.bin/);
  const index = JSON.stringify({ weight_map: { a: 'model-00001-of-00002.safetensors' } });
  await refuses({ 'model.safetensors.index.json': index }, 'MODEL_NOT_FOUND', /no model-00001-of-00002\.safetensors/);
});

test('an index that points outside the directory or to a file without the tensor is corrupt', async () => {
  const indexOf = (file: string) => JSON.stringify({ weight_map: { a: file } });
  await refuses(
    { 'model.safetensors.index.json': indexOf('../model.safetensors') },
    'MODEL_CORRUPT',
    /index\.json: weight_map\.a: must name/,
  );
  await refuses(
    { 'model.safetensors.index.json': indexOf('part.safetensors'), 'part.safetensors': encodeSafetensors('{}') },
    'MODEL_CORRUPT',
    /^part\.safetensors: no tensor a/,
  );
});
