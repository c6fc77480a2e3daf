import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import fc from 'fast-check';
import { readTensors, type Tensors } from '../../../test/support/checkpoint-files.ts';
import {
  encodeTorchTensors,
  encodeZip,
  pickle,
  pickledTensor,
  saveAsTorchFile,
  torchFile,
} from '../../../test/support/torch-files.ts';
import { buildModel } from './build-model.ts';
import { Checkpoint } from './checkpoint.ts';

const golden = new URL('../../../test/fixtures/golden/captioner/', import.meta.url).pathname;
const fixture = (name: string): string => new URL(`../../../test/fixtures/torch/${name}`, import.meta.url).pathname;
let scratch: string;
before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'captionfleet-'));
});
after(() => rm(scratch, { recursive: true }));

async function directoryWith(file: Uint8Array): Promise<string> {
  const directory = await mkdtemp(join(scratch, 'checkpoint-'));
  await writeFile(join(directory, 'pytorch_model.bin'), file);
  return directory;
}

const openFixture = async (name: string): Promise<Checkpoint> =>
  Checkpoint.open(await directoryWith(await readFile(fixture(name))));

async function assertRefused(file: Uint8Array, code: string, message: RegExp): Promise<void> {
  const directory = await directoryWith(file);
  const prefixed = new RegExp(`^pytorch_model\\.bin: .*${message.source}`);
  await assert.rejects(
    async () => {
      await using _ = await Checkpoint.open(directory);
    },
    { name: 'CaptionfleetError', code, message: prefixed },
  );
}

/** Bits, because equal numbers may have unequal bits. */
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer, values.byteOffset, values.length);

async function floats(directory: string, tensors: Tensors): Promise<Map<string, Uint32Array>> {
  await using checkpoint = await Checkpoint.open(directory);
  const result = new Map<string, Uint32Array>();
  for (const [name, { dtype, shape }] of tensors) {
    if (dtype !== 'I64') result.set(name, bits(await checkpoint.weight(name, shape).read()));
  }
  return result;
}

async function assertEqualsSafetensors(torchName: string, safetensorsName: string): Promise<void> {
  const safetensors = await mkdtemp(join(scratch, 'safetensors-'));
  await cp(fixture(safetensorsName), join(safetensors, 'model.safetensors'));
  const tensors = await readTensors(fixture(safetensorsName));
  const torch = await directoryWith(await readFile(fixture(torchName)));
  const values = await floats(torch, tensors);
  assert.deepEqual(values, await floats(safetensors, tensors));
  assert.ok(values.size >= 9);
}

for (const [torchName, safetensorsName] of [
  ['float32.bin', 'float32.safetensors'],
  ['float16.bin', 'float16.safetensors'],
  ['bfloat16.bin', 'bfloat16.safetensors'],
  ['protocol4.bin', 'float32.safetensors'],
] as const) {
  test(`${torchName}, as PyTorch wrote it, has the bits of ${safetensorsName}: tied, in views, empty and scalar`, () =>
    assertEqualsSafetensors(torchName, safetensorsName));
}

test('parameters are tensors', async () => {
  await using checkpoint = await openFixture('parameters.bin');
  assert.deepEqual(await checkpoint.weight('norm.weight', [5]).read(), new Float32Array(5).fill(1));
});

test('an integer tensor harms nothing until it is asked for', async () => {
  await using checkpoint = await openFixture('float32.bin');
  assert.throws(() => checkpoint.weight('position_ids', [1, 9]), {
    code: 'MODEL_UNSUPPORTED',
    message: /^pytorch_model\.bin: tensor position_ids has type I64, expected F32, F16 or BF16$/,
  });
});

test('a checkpoint of either kind builds the same weights', async () => {
  const checkpoint = await mkdtemp(join(scratch, 'golden-'));
  await cp(golden, checkpoint, { recursive: true });
  await saveAsTorchFile(checkpoint);
  const built = async (from: string, name: string): Promise<Buffer> => {
    const output = join(scratch, name);
    const signal = AbortSignal.timeout(60_000);
    await buildModel({ checkpoint: from, output, id: 'test/captioner', revision: '1', signal });
    return await readFile(join(output, 'weights.bin'));
  };
  const [torch, safetensors] = [await built(checkpoint, 'torch'), await built(golden, 'safetensors')];
  assert.ok(torch.equals(safetensors));
});

test('the safetensors are preferred to what lies beside them', async () => {
  const directory = await directoryWith(Buffer.from('not read'));
  await cp(fixture('float32.safetensors'), join(directory, 'model.safetensors'));
  await using checkpoint = await Checkpoint.open(directory);
  assert.ok(checkpoint.has('scalar'));
});

const value = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer);
const tensorFile = (options: Parameters<typeof pickledTensor>[0], data = value) =>
  torchFile(pickle.program('}', pickle.text('a'), pickledTensor(options), 's'), { 0: data });

test('a file with several index entries reads as one', async () => {
  const directory = await mkdtemp(join(scratch, 'shards-'));
  const tensor = { dtype: 'F32', shape: [2, 3], data: value };
  for (const name of ['a', 'b']) {
    await writeFile(join(directory, `part-${name}.bin`), encodeTorchTensors(new Map([[name, tensor]])));
  }
  const index = JSON.stringify({ weight_map: { a: 'part-a.bin', b: 'part-b.bin' } });
  await writeFile(join(directory, 'pytorch_model.bin.index.json'), index);
  await using checkpoint = await Checkpoint.open(directory);
  assert.deepEqual(await checkpoint.weight('b', [2, 3]).read(), Float32Array.of(1, 2, 3, 4, 5, 6));
});

test('sizes and places may be in ZIP64 fields', async () => {
  await using checkpoint = await Checkpoint.open(await directoryWith(encodeZip(tensorFile({}), { zip64: true })));
  assert.deepEqual(await checkpoint.weight('a', [2, 3]).read(), Float32Array.of(1, 2, 3, 4, 5, 6));
});

const imports: readonly [module: string, member: string][] = [
  ['os', 'system'],
  ['posix', 'system'],
  ['builtins', 'eval'],
  ['__builtin__', 'eval'],
  ['torch.jit', 'load'],
  ['torch.jit._pickle', 'restore_type_tag'],
  ['torch', 'FloatStorage.__init__'],
  ['collections', 'OrderedDict.update'],
  ['constructor', 'constructor'],
];
for (const [module, member] of imports) {
  test(`a pickle that imports ${module}.${member} is refused, also through the stack`, async () => {
    const { name, program, text } = pickle;
    const message = new RegExp(`the name "${module}\\.${member}", refused: a checkpoint must not run code$`);
    const call = [text('touch owned'), Buffer.from([0x85]), 'R'];
    const stackGlobal = [text(module), text(member), Buffer.from([0x93])];
    for (const spelled of [[name(module, member)], stackGlobal]) {
      await assertRefused(encodeZip(torchFile(program(...spelled, ...call))), 'MODEL_UNSUPPORTED', message);
    }
  });
}

for (const [what, opcode] of [
  ...(['i', 'o', ']', 'l', 'd', 'P', 'I', 'V', 'g', 'p', '0', '2'] as const).map((letter) => [letter, letter] as const),
  ...[0x81, 0x82, 0x83, 0x84, 0x90, 0x91, 0x92, 0x96, 0x98].map(
    (code) => [code.toString(16), Buffer.from([code])] as const,
  ),
] as const) {
  test(`the opcode ${what}, which no state dict needs, is refused`, () =>
    assertRefused(encodeZip(torchFile(pickle.program('}', opcode))), 'MODEL_UNSUPPORTED', /opcode 0x.. *, refused/));
}

const { program, text, integer, name } = pickle;
const rebuild = name('torch._utils', '_rebuild_tensor_v2');
const nonsense: readonly [what: string, pickle: Buffer, code: string, message: RegExp][] = [
  ['is empty', Buffer.alloc(0), 'MODEL_CORRUPT', /ends too early/],
  ['ends in a text', program('}', Buffer.from([0x58, 0xff, 0xff, 0xff, 0xff])), 'MODEL_CORRUPT', /ends too early/],
  ['has no STOP', Buffer.from([0x80, 2, 0x7d]), 'MODEL_CORRUPT', /ends too early/],
  ['has protocol 0', Buffer.from('(dp0\n.'), 'MODEL_CORRUPT', /does not begin with a protocol/],
  ['has protocol 5', Buffer.from([0x80, 5, 0x7d, 0x2e]), 'MODEL_UNSUPPORTED', /protocol 5/],
  ['holds a number alone', program(integer(1)), 'MODEL_CORRUPT', /where a dict must be/],
  ['takes from an empty stack', program('u'), 'MODEL_CORRUPT', /a mark that is not there/],
  ['takes what lies below a mark', program('}', text('a'), '(s'), 'MODEL_CORRUPT', /a value that is not there/],
  ['recalls what was not kept', program('h\x07'), 'MODEL_CORRUPT', /recalls value 7/],
  ['has a number as a key', program('}', integer(1), integer(2), 's'), 'MODEL_CORRUPT', /key that is not a string/],
  [
    'calls a storage',
    program(name('torch', 'FloatStorage'), ')R'),
    'MODEL_UNSUPPORTED',
    /a call of torch\.FloatStorage/,
  ],
  ['calls a text', program(text('os.system'), ')R'), 'MODEL_CORRUPT', /where a global must be/],
  ['gives wrong arguments', program(rebuild, ')R'), 'MODEL_UNSUPPORTED', /arguments that are not known/],
  ['names no storage', program('(', text('module'), 't', 'Q'), 'MODEL_CORRUPT', /names a storage/],
  ['has a very long integer', program(Buffer.from([0x8a, 9]), Buffer.alloc(9)), 'MODEL_CORRUPT', /more than 8 bytes/],
  ['stacks without end', program('N'.repeat(200_000)), 'MODEL_CORRUPT', /more than 100000 values/],
  ['marks without end', program('('.repeat(200_000)), 'MODEL_CORRUPT', /more than 100000 values/],
  ['has more than 8 MiB', program('N0'.repeat(5_000_000)), 'MODEL_UNSUPPORTED', /data\.pkl has \d+ bytes; at most/],
];
for (const [what, bytes, code, message] of nonsense) {
  test(`a pickle that ${what} is refused`, () => assertRefused(encodeZip(torchFile(bytes)), code, message));
}

test('a dict that holds itself is no tensor and ends no reading', async () => {
  const cyclic = program('}q\0', text('self'), 'h\0s', text('a'), pickledTensor({}), 's');
  await using checkpoint = await Checkpoint.open(await directoryWith(encodeZip(torchFile(cyclic, { 0: value }))));
  assert.equal(checkpoint.has('self'), false);
  assert.ok(checkpoint.has('a'));
});

const misplaced: readonly [what: string, tensor: Parameters<typeof pickledTensor>[0], code: string, message: RegExp][] =
  [
    ['is outside its storage', { offset: 1 }, 'MODEL_CORRUPT', /tensor a has elements 1 to 7 of data\/0, which has 6/],
    ['states too many elements', { elements: 7 }, 'MODEL_CORRUPT', /data\/0 has 24 bytes, 7 of F32/],
    ['states another type', { type: 'HalfStorage' }, 'MODEL_CORRUPT', /data\/0 has 24 bytes, 6 of F16/],
    ['has no storage', { key: '1' }, 'MODEL_CORRUPT', /tensor a is in data\/1, which is missing/],
    ['has a storage outside the folder', { key: '../version' }, 'MODEL_CORRUPT', /which is missing/],
    [
      'has a huge shape',
      { shape: Array(8).fill(2 ** 31 - 1), strides: Array(8).fill(0) },
      'MODEL_CORRUPT',
      /elements 0 to/,
    ],
    ['has a negative size', { shape: [-1, 3] }, 'MODEL_UNSUPPORTED', /arguments that are not known/],
    ['has too few strides', { strides: [1] }, 'MODEL_UNSUPPORTED', /arguments that are not known/],
    ['repeats a row', { strides: [0, 1] }, 'MODEL_UNSUPPORTED', /tensor a of shape \[2, 3\] has strides \[0, 1\]/],
    ['is of complex numbers', { type: 'ComplexFloatStorage' }, 'MODEL_UNSUPPORTED', /"torch\.ComplexFloatStorage"/],
  ];
for (const [what, tensor, code, message] of misplaced) {
  test(`a tensor that ${what} is refused`, () => assertRefused(encodeZip(tensorFile(tensor)), code, message));
}

test('a transposed tensor, a list and the format before 1.6, as PyTorch wrote them, are refused', async () => {
  for (const [file, message] of [
    ['transposed.bin', /tensor matrix of shape \[3, 2\] has strides \[1, 3\]/],
    ['with-a-list.bin', /opcode 0x5d, refused/],
    ['before-1.6.bin', /the format of PyTorch before 1\.6; save it again/],
  ] as const) {
    await assertRefused(await readFile(fixture(file)), 'MODEL_UNSUPPORTED', message);
  }
});

const [first, ...others] = tensorFile({});
assert.ok(first);
const entry = (entryName: string, content: string) => ({ name: entryName, data: Buffer.from(content) });
const damaged: readonly [what: string, file: Buffer, code: string, message: RegExp][] = [
  ['is empty', Buffer.alloc(0), 'MODEL_CORRUPT', /no file of PyTorch/],
  ['is a web page', Buffer.from('<!doctype html><title>Not found</title>'), 'MODEL_CORRUPT', /no file of PyTorch/],
  ['is only its beginning', Buffer.from('PK\x03\x04'), 'MODEL_CORRUPT', /does not end as a ZIP file/],
  ['is cut off', encodeZip(tensorFile({})).subarray(0, -1), 'MODEL_CORRUPT', /does not end as a ZIP file/],
  ['is deflated', encodeZip([{ ...first, method: 8 }, ...others]), 'MODEL_UNSUPPORTED', /compressed \(method 8\)/],
  [
    'has overlapping entries',
    encodeZip([first, { ...entry('x', 'y'), begin: 0 }]),
    'MODEL_CORRUPT',
    /not where|overlaps/,
  ],
  ['has an entry of too many bytes', encodeZip([{ ...first, size: 1e6 }]), 'MODEL_CORRUPT', /ends outside/],
  ['has an entry past the end', encodeZip([{ ...first, begin: 1e6 }]), 'MODEL_CORRUPT', /truncated or damaged/],
  ['has one entry twice', encodeZip([first, first]), 'MODEL_CORRUPT', /two entries archive\/data\.pkl/],
  ['states a million entries', encodeZip([first], { count: 1e6 }), 'MODEL_UNSUPPORTED', /has 1000000 entries/],
  ['states an entry too many', encodeZip([first], { count: 2 }), 'MODEL_CORRUPT', /damaged at entry 1/],
  ['has no data.pkl', encodeZip([entry('archive/version', '3\n')]), 'MODEL_CORRUPT', /exactly one data\.pkl/],
  ['has no version', encodeZip([first]), 'MODEL_CORRUPT', /has no version/],
  [
    'is big-endian',
    encodeZip([...tensorFile({}), entry('archive/byteorder', 'big')]),
    ...(['MODEL_UNSUPPORTED', /byteorder is "big"/] as const),
  ],
];
for (const [what, file, code, message] of damaged) {
  test(`a file that ${what} is refused`, () => assertRefused(file, code, message));
}

test('whatever bytes of a file are changed or cut, only a CaptionfleetError comes out', async () => {
  const whole = await readFile(fixture('float32.bin'));
  const directory = await directoryWith(whole);
  const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) });
  const property = fc.asyncProperty(
    fc.array(change, { minLength: 1, maxLength: 6 }),
    fc.option(fc.nat(whole.length - 1), { freq: 5 }),
    async (changes, length) => {
      const bytes = Buffer.from(whole);
      for (const { at, to } of changes) bytes[at] = to;
      await writeFile(join(directory, 'pytorch_model.bin'), bytes.subarray(0, length ?? bytes.length));
      try {
        await using checkpoint = await Checkpoint.open(directory);
        if (checkpoint.has('rows')) await checkpoint.weight('rows', [2, 6]).read();
      } catch (error) {
        assert.ok(error instanceof CaptionfleetError, String(error));
        assert.match(error.code, /^MODEL_(CORRUPT|UNSUPPORTED)$/);
      }
    },
  );
  await fc.assert(property, { numRuns: 1000 });
});

test('whatever a pickle holds, only a CaptionfleetError comes out', async () => {
  const directory = await mkdtemp(join(scratch, 'random-'));
  const part = fc.oneof(
    fc.constantFrom('}', '(', 't', 'u', 's', 'R', 'b', 'Q', ')', 'N', 'q\0', 'h\0'),
    fc.constantFrom(text('storage'), integer(3), rebuild, name('collections', 'OrderedDict'), pickledTensor({})),
    fc.uint8Array({ maxLength: 3 }),
  );
  const property = fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
    const file = encodeZip(torchFile(program('}', ...parts), { 0: value }));
    await writeFile(join(directory, 'pytorch_model.bin'), file);
    try {
      await using _ = await Checkpoint.open(directory);
    } catch (error) {
      assert.ok(error instanceof CaptionfleetError, String(error));
    }
  });
  await fc.assert(property, { numRuns: 1000 });
});
