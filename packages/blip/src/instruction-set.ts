import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What of the processor decides which variant is fast: the widest vectors it has, and whether they multiply bytes. */
export interface InstructionSet {
  /** Such as avx512-vnni, avx2, neon-dotprod: part of the key of what was optimised for this machine. */
  readonly name: string;
  /** Without these instructions ONNX Runtime's int8 products gain nothing and, on x86, may saturate. */
  readonly multipliesBytes: boolean;
}

/** In the order of preference: the first whose flags the processor has. */
const sets: readonly (InstructionSet & { readonly flags: readonly string[] })[] = [
  { name: 'avx512-vnni', multipliesBytes: true, flags: ['avx512f', 'avx512bw', 'avx512_vnni'] },
  { name: 'avx-vnni', multipliesBytes: true, flags: ['avx2', 'avx_vnni'] },
  { name: 'avx512', multipliesBytes: false, flags: ['avx512f', 'avx512bw'] },
  { name: 'avx2', multipliesBytes: false, flags: ['avx2', 'fma'] },
  { name: 'neon-dotprod', multipliesBytes: true, flags: ['asimddp'] },
];

/** Of the given processor flags, as Linux lists them. */
export function instructionSetOf(flags: ReadonlySet<string>): InstructionSet {
  const found = sets.find((set) => set.flags.every((flag) => flags.has(flag)));
  return { name: found?.name ?? process.arch, multipliesBytes: found?.multipliesBytes ?? false };
}

export interface Processor extends InstructionSet {
  /** As its maker calls it. */
  readonly model: string;
  /** The name of the set and a digest of all flags: equal on machines that run the same code. */
  readonly key: string;
}

/** Of this machine. Outside Linux the flags are not known, and the least is assumed. */
export function readInstructionSet(): Processor {
  const flags = readFlags();
  const set = instructionSetOf(new Set(flags));
  const digest = createHash('sha256').update(flags.toSorted().join(' ')).digest('hex');
  return { ...set, model: cpus()[0]?.model.trim() ?? 'unknown', key: `${set.name}-${digest.slice(0, 8)}` };
}

function readFlags(): readonly string[] {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
    return line.trim().split(/\s+/);
  } catch {
    return [];
  }
}
