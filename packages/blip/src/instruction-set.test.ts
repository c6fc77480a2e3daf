import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instructionSetOf, readInstructionSet } from './instruction-set.ts';

const named = (flags: string) => instructionSetOf(new Set(flags.split(' ')));

test('the widest set whose flags are all there is chosen, and says whether it multiplies bytes', () => {
  assert.deepEqual(named('fma avx2 avx512f avx512bw avx512_vnni'), { name: 'avx512-vnni', multipliesBytes: true });
  assert.equal(named('fma avx2 avx512f avx512bw').multipliesBytes, false);
  assert.equal(named('fma avx2 avx_vnni').name, 'avx-vnni');
  assert.deepEqual(named('fma avx2'), { name: 'avx2', multipliesBytes: false });
  assert.equal(named('fp asimd asimddp').multipliesBytes, true);
  assert.deepEqual(named('sse2'), { name: process.arch, multipliesBytes: false });
});

test('this machine has a processor with a name', () => {
  const { name, model, key } = readInstructionSet();
  assert.ok(name.length > 0 && model.length > 0);
  assert.match(key, new RegExp(`^${name}-[0-9a-f]{8}$`));
});
