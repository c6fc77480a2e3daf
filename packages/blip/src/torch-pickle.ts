import type { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { RangeFile } from './range-file.ts';

/** Values of one type that a file keeps together; tensors are parts of it. */
interface Storage {
  readonly kind: 'storage';
  /** In the words of safetensors. */
  readonly dtype: string;
  readonly key: string;
  readonly elements: number;
}

/** A part of a storage: counts of elements, each an integer of at least 0; as many strides as axes. */
export interface PickledTensor {
  readonly kind: 'tensor';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

interface Tuple {
  readonly kind: 'tuple';
  readonly items: readonly Value[];
}
interface Dict {
  readonly kind: 'dict';
  readonly entries: Map<string, Value>;
}
/** A name that Python would import. */
interface Global {
  readonly kind: 'global';
  readonly name: string;
}
type Value = null | boolean | number | string | Tuple | Dict | Global | Storage | PickledTensor;
type KindOf<K> = Extract<Value, { readonly kind: K }>;

const maxStack = 100_000;
const maxAxes = 8;

/**
 * Reads the pickle of a state dict without running it. A pickle is a program that may import and call anything; here
 * the opcodes, and the names that may be imported and called, are closed lists: those that torch.save writes for a dict
 * of tensors. Every opcode takes a bounded step, and there are no loops, so the time is that of reading the bytes.
 *
 * @returns the tensors by name; other values of the dict are left out
 * @throws MODEL_UNSUPPORTED naming the opcode or the imported name that is not on the lists, MODEL_CORRUPT for a pickle
 * that makes no sense
 */
export function readStateDict(pickle: Buffer, file: RangeFile): Map<string, PickledTensor> {
  const result = new PickleReader(pickle, file).run();
  const tensors = new Map<string, PickledTensor>();
  for (const [name, value] of result.entries) {
    if (isKind(value, 'tensor')) tensors.set(name, value);
  }
  return tensors;
}

const isKind = <K extends string>(value: Value | undefined, kind: K): value is KindOf<K> =>
  typeof value === 'object' && value !== null && value.kind === kind;

const isCount = (value: Value | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** Imported names of storages, and their types in the words of safetensors. */
const storageTypes = new Map<string, string>([
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

/** What a call of an allowed name gives; undefined for arguments that torch does not write. */
const functions = new Map<string, (args: readonly Value[]) => Value | undefined>([
  ['collections.OrderedDict', (args) => (args.length === 0 ? { kind: 'dict', entries: new Map() } : undefined)],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', ([tensor]) => (isKind(tensor, 'tensor') ? tensor : undefined)],
]);

/** Arguments: storage, offset, shape, strides, requires_grad, backward hooks; a seventh would change what values mean. */
function rebuildTensor(args: readonly Value[]): PickledTensor | undefined {
  const [storage, offset, shape, strides] = args;
  if (args.length !== 6 || !isKind(storage, 'storage') || !isCount(offset)) return undefined;
  const [sizes, steps] = [countsOf(shape), countsOf(strides)];
  if (sizes === undefined || steps?.length !== sizes.length) return undefined;
  return { kind: 'tensor', storage, offset, shape: sizes, strides: steps };
}

/** The length comes first: a pickle may give one long tuple to very many calls. */
const countsOf = (value: Value | undefined): readonly number[] | undefined =>
  isKind(value, 'tuple') && value.items.length <= maxAxes && value.items.every(isCount) ? value.items : undefined;

/** ('storage', type, key, device, elements); the device that wrote it is of no interest. */
function storageOf(id: Value): Storage | undefined {
  if (!isKind(id, 'tuple') || id.items.length !== 5) return undefined;
  const [what, type, key, , elements] = id.items;
  const dtype = isKind(type, 'global') ? storageTypes.get(type.name) : undefined;
  if (what !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(elements)) return undefined;
  return { kind: 'storage', dtype, key, elements };
}

/** Python's unpickler (Lib/pickle.py, class _Unpickler), reduced to the opcodes of the table below. */
class PickleReader {
  readonly #bytes: Buffer;
  readonly #file: RangeFile;
  #position = 0;
  #stack: Value[] = [];
  /** Heights of the stack where an unfinished tuple or list of items began; nothing below the last is taken. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Value>();

  constructor(bytes: Buffer, file: RangeFile) {
    this.#bytes = bytes;
    this.#file = file;
  }

  run(): Dict {
    if (this.byte() !== 0x80) throw this.corrupt('does not begin with a protocol number');
    this.protocol();
    for (let opcode = this.byte(); opcode !== stop; opcode = this.byte()) {
      const step = opcodes.get(opcode);
      if (step === undefined) throw this.refuse(`opcode 0x${opcode.toString(16).padStart(2, '0')}`);
      step(this);
      if (this.#stack.length + this.#marks.length > maxStack) throw this.corrupt(`stacks more than ${maxStack} values`);
    }
    return this.pop('dict');
  }

  corrupt(reason: string): CaptionfleetError {
    return this.#file.corrupt(`data.pkl ${reason} (byte ${this.#position})`);
  }

  refuse(what: string): CaptionfleetError {
    return this.#file.unsupported(`data.pkl has ${what}, refused: a checkpoint must not run code`);
  }

  protocol(): void {
    const protocol = this.byte();
    if (protocol < 2 || protocol > 4) throw this.#file.unsupported(`data.pkl has protocol ${protocol}, not 2, 3 or 4`);
  }

  take(bytes: number): Buffer {
    const begin = this.#position;
    if (bytes > this.#bytes.length - begin) throw this.corrupt('ends too early');
    this.#position += bytes;
    return this.#bytes.subarray(begin, this.#position);
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  text(bytes: number): string {
    return this.take(bytes).toString('utf8');
  }

  line(): string {
    const end = this.#bytes.indexOf('\n', this.#position);
    if (end < 0) throw this.corrupt('ends too early');
    const line = this.text(end - this.#position);
    this.#position = end + 1;
    return line;
  }

  push(value: Value): void {
    this.#stack.push(value);
  }

  popAny(): Value {
    const value = this.#stack.length > (this.#marks.at(-1) ?? 0) ? this.#stack.pop() : undefined;
    if (value === undefined) throw this.corrupt('takes a value that is not there');
    return value;
  }

  pop<K extends string>(kind: K): KindOf<K> {
    const value = this.popAny();
    if (!isKind(value, kind)) throw this.corrupt(`has another value where a ${kind} must be`);
    return value;
  }

  popString(): string {
    const value = this.popAny();
    if (typeof value !== 'string') throw this.corrupt('has another value where a string must be');
    return value;
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popToMark(): Value[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.corrupt('takes a mark that is not there');
    return this.#stack.splice(mark);
  }

  pushTuple(length: number): void {
    const items = Array.from({ length }, () => this.popAny()).reverse();
    this.push({ kind: 'tuple', items });
  }

  memoize(key = this.#memo.size): void {
    const value = this.popAny();
    this.#memo.set(key, value);
    this.push(value);
  }

  recall(key: number): void {
    const value = this.#memo.get(key);
    if (value === undefined) throw this.corrupt(`recalls value ${key}, which was not kept`);
    this.push(value);
  }

  /** Puts keys and values, one after the other, into the dict below them. */
  setItems(items: readonly Value[]): void {
    const dict = this.pop('dict');
    if (items.length % 2 !== 0) throw this.corrupt('has a key without a value');
    for (let index = 0; index < items.length; index += 2) {
      const [key, value] = items.slice(index, index + 2);
      if (typeof key !== 'string' || value === undefined) throw this.corrupt('has a key that is not a string');
      dict.entries.set(key, value);
    }
    this.push(dict);
  }

  import(module: string, member: string): void {
    const name = `${module}.${member}`;
    if (!functions.has(name) && !storageTypes.has(name)) throw this.refuse(`the name ${printable(name)}`);
    this.push({ kind: 'global', name });
  }

  call(): void {
    const { items } = this.pop('tuple');
    const { name } = this.pop('global');
    const call = functions.get(name);
    if (call === undefined) throw this.refuse(`a call of ${name}`);
    const result = call(items);
    if (result === undefined) throw this.#file.unsupported(`data.pkl calls ${name} with arguments that are not known`);
    this.push(result);
  }

  findStorage(): void {
    const storage = storageOf(this.popAny());
    if (storage === undefined) throw this.corrupt('names a storage in a way that is not known');
    this.push(storage);
  }

  /** Sets attributes of an object. A state dict has one, `_metadata`, with versions of modules; nothing needs it. */
  ignoreState(): void {
    this.pop('dict');
    this.push(this.pop('dict'));
  }
}

const printable = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);

/** A two's complement number of at most 8 bytes, as offsets into large storages are written. */
function longInteger(reader: PickleReader): number {
  const bytes = Buffer.alloc(8);
  const stored = reader.take(reader.byte());
  if (stored.length > bytes.length) throw reader.corrupt('has an integer of more than 8 bytes');
  if ((stored.at(-1) ?? 0) >= 0x80) bytes.fill(0xff);
  stored.copy(bytes);
  return Number(bytes.readBigInt64LE());
}

const stop = 0x2e;
const opcodes: ReadonlyMap<number, (reader: PickleReader) => void> = new Map([
  [0x80, (reader) => reader.protocol()],
  // FRAME: the length of a part that could be read at once.
  [0x95, (reader) => void reader.take(8)],
  // NONE, NEWTRUE, NEWFALSE
  [0x4e, (reader) => reader.push(null)],
  [0x88, (reader) => reader.push(true)],
  [0x89, (reader) => reader.push(false)],
  // BININT, BININT1, BININT2, LONG1
  [0x4a, (reader) => reader.push(reader.take(4).readInt32LE())],
  [0x4b, (reader) => reader.push(reader.byte())],
  [0x4d, (reader) => reader.push(reader.take(2).readUInt16LE())],
  [0x8a, (reader) => reader.push(longInteger(reader))],
  // BINUNICODE, SHORT_BINUNICODE
  [0x58, (reader) => reader.push(reader.text(reader.take(4).readUInt32LE()))],
  [0x8c, (reader) => reader.push(reader.text(reader.byte()))],
  // MARK, TUPLE, EMPTY_TUPLE, TUPLE1, TUPLE2, TUPLE3
  [0x28, (reader) => reader.mark()],
  [0x74, (reader) => reader.push({ kind: 'tuple', items: reader.popToMark() })],
  [0x29, (reader) => reader.pushTuple(0)],
  [0x85, (reader) => reader.pushTuple(1)],
  [0x86, (reader) => reader.pushTuple(2)],
  [0x87, (reader) => reader.pushTuple(3)],
  // EMPTY_DICT, SETITEM, SETITEMS
  [0x7d, (reader) => reader.push({ kind: 'dict', entries: new Map() })],
  [
    0x73,
    (reader) => {
      const value = reader.popAny();
      reader.setItems([reader.popAny(), value]);
    },
  ],
  [0x75, (reader) => reader.setItems(reader.popToMark())],
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  [0x71, (reader) => reader.memoize(reader.byte())],
  [0x72, (reader) => reader.memoize(reader.take(4).readUInt32LE())],
  [0x94, (reader) => reader.memoize()],
  [0x68, (reader) => reader.recall(reader.byte())],
  [0x6a, (reader) => reader.recall(reader.take(4).readUInt32LE())],
  // GLOBAL, STACK_GLOBAL, REDUCE, BINPERSID, BUILD
  [
    0x63,
    (reader) => {
      const module = reader.line();
      reader.import(module, reader.line());
    },
  ],
  [
    0x93,
    (reader) => {
      const member = reader.popString();
      reader.import(reader.popString(), member);
    },
  ],
  [0x52, (reader) => reader.call()],
  [0x51, (reader) => reader.findStorage()],
  [0x62, (reader) => reader.ignoreState()],
]);
