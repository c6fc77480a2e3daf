/**
 * JSON as Python's json module reads and writes it. The reference server of AzureML answers with the words of this module, so
 * they are part of its contract: https://github.com/python/cpython/blob/3.11/Modules/_json.c, json/decoder.py, json/__init__.py.
 */

/** Objects are maps, in the order of their keys; integers that a double does not hold are bigints. */
export type PythonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly PythonValue[]
  | ReadonlyMap<string, PythonValue>;

/** Python's JSONDecodeError: the text is not JSON, and this is where. */
export class PythonJsonError extends Error {
  override readonly name = 'PythonJsonError';

  constructor(problem: string, text: string, position: number) {
    const before = text.slice(0, position);
    const line = before.split('\n').length;
    const column = codePoints(before.slice(before.lastIndexOf('\n') + 1)) + 1;
    super(`${problem}: line ${line} column ${column} (char ${codePoints(before)})`);
  }
}

/** Another error of Python's reader, which the reference server does not expect: wrong bytes, deep nesting, long numbers. */
export class PythonReadError extends Error {
  override readonly name = 'PythonReadError';
  /** Python's class of it. */
  readonly kind: 'ValueError' | 'RecursionError';

  constructor(message: string, kind: PythonReadError['kind'] = 'ValueError', options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

const limits = {
  /** Lists and objects in one another: those that Python's stack has room for behind the server's own calls. */
  depth: 971,
  /** Digits of an integer (sys.get_int_max_str_digits). */
  digits: 4300,
} as const;

/** Python counts characters, JavaScript halves of those beyond the first plane. */
function codePoints(text: string): number {
  let count = text.length;
  for (const _ of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) count -= 1;
  return count;
}

/**
 * The value of a whole document.
 *
 * @throws PythonJsonError, PythonReadError
 */
export function readPythonJson(bytes: Uint8Array): PythonValue {
  return parsePythonJson(decodeText(bytes));
}

/** The value of a document that is text already; a byte order mark is none of it. */
export const parsePythonJson = (text: string): PythonValue => new Reader(text).document();

const byteOrderMarks = [
  ['utf-32le', [0xff, 0xfe, 0, 0]],
  ['utf-32be', [0, 0, 0xfe, 0xff]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
  ['utf-8', [0xef, 0xbb, 0xbf]],
] as const;
type Encoding = (typeof byteOrderMarks)[number][0];

/** As json.detect_encoding: by a byte order mark, or by which of the first bytes are null. */
function decodeText(bytes: Uint8Array): string {
  for (const [encoding, mark] of byteOrderMarks) {
    if (mark.every((byte, index) => bytes[index] === byte)) return decode(encoding, bytes.subarray(mark.length));
  }
  return decode(encodingByNulls(bytes), bytes);
}

function encodingByNulls(bytes: Uint8Array): Encoding {
  const [a, b, c, d] = Array.from({ length: 4 }, (_, index) => bytes[index] === 0);
  if (bytes.byteLength < 4 && bytes.byteLength !== 2) return 'utf-8';
  const four = bytes.byteLength >= 4;
  if (a) return four && b ? 'utf-32be' : 'utf-16be';
  if (b) return four && c && d ? 'utf-32le' : 'utf-16le';
  return 'utf-8';
}

function decode(encoding: Encoding, bytes: Uint8Array): string {
  if (encoding.startsWith('utf-32')) return utf32(bytes, encoding === 'utf-32le');
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PythonReadError(`the body is not ${encoding}`, 'ValueError', { cause });
  }
}

function utf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const characters: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += 4) {
    const left = bytes.byteLength - at;
    const codePoint = left < 4 ? Number.NaN : view.getUint32(at, littleEndian);
    if (!(codePoint <= 0x10ffff)) throw new PythonReadError('the body is not utf-32');
    characters.push(String.fromCodePoint(codePoint));
  }
  return characters.join('');
}

const literals: ReadonlyMap<string, PythonValue> = new Map<string, PythonValue>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PythonValue {
    this.#skipBlanks();
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#error('Extra data');
    return value;
  }

  #value(): PythonValue {
    const character = this.#text[this.#at];
    if (character === '"') return this.#string();
    if (character === '{') return this.#nested(() => this.#object());
    if (character === '[') return this.#nested(() => this.#list());
    const literal = this.#match(/null|true|false|NaN|-?Infinity/y);
    if (literal !== undefined) return literals.get(literal) ?? null;
    const number = this.#match(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    if (number === undefined) throw this.#error('Expecting value');
    return readNumber(number);
  }

  #nested<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > limits.depth) throw new PythonReadError('the nesting is too deep', 'RecursionError');
    const value = read();
    this.#depth -= 1;
    return value;
  }

  #object(): ReadonlyMap<string, PythonValue> {
    const entries = new Map<string, PythonValue>();
    this.#next();
    if (this.#takes('}')) return entries;
    for (;;) {
      if (this.#text[this.#at] !== '"') throw this.#error('Expecting property name enclosed in double quotes');
      const key = this.#string();
      this.#skipBlanks();
      if (!this.#takes(':')) throw this.#error("Expecting ':' delimiter");
      this.#skipBlanks();
      entries.set(key, this.#value());
      this.#skipBlanks();
      if (this.#takes('}')) return entries;
      if (!this.#takes(',')) throw this.#error("Expecting ',' delimiter");
      this.#skipBlanks();
    }
  }

  #list(): readonly PythonValue[] {
    const values: PythonValue[] = [];
    this.#next();
    if (this.#takes(']')) return values;
    for (;;) {
      values.push(this.#value());
      this.#skipBlanks();
      if (this.#takes(']')) return values;
      if (!this.#takes(',')) throw this.#error("Expecting ',' delimiter");
      this.#skipBlanks();
    }
  }

  #string(): string {
    const begin = this.#at;
    const pieces: string[] = [];
    this.#at += 1;
    for (;;) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON forbids in text.
      pieces.push(this.#match(/[^"\\\x00-\x1f]*/y) ?? '');
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#error('Unterminated string starting at', begin);
      if (character === '"') {
        this.#at += 1;
        return pieces.length === 1 ? (pieces[0] ?? '') : pieces.join('');
      }
      if (character !== '\\') throw this.#error('Invalid control character at');
      pieces.push(this.#escape(begin));
    }
  }

  #escape(begin: number): string {
    const letter = this.#text[this.#at + 1];
    if (letter === undefined) throw this.#error('Unterminated string starting at', begin);
    if (letter === 'u') return this.#unicodeEscape();
    const meant = escapes[letter];
    if (meant === undefined) throw this.#error('Invalid \\escape');
    this.#at += 2;
    return meant;
  }

  /** Two of them may be the halves of one character, which they become by standing side by side. */
  #unicodeEscape(): string {
    const digits = /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at + 2, this.#at + 6))?.[0];
    // Python wants something behind the digits, too.
    if (digits === undefined || this.#at + 6 >= this.#text.length) {
      throw this.#error('Invalid \\uXXXX escape', this.#at + 1);
    }
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  /** Past the bracket and the blanks behind it. */
  #next(): void {
    this.#at += 1;
    this.#skipBlanks();
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipBlanks(): void {
    this.#match(/[ \t\n\r]*/y);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #error(problem: string, position = this.#at): PythonJsonError {
    return new PythonJsonError(problem, this.#text, position);
  }
}

function readNumber(text: string): number | bigint {
  const value = Number(text);
  if (Number.isSafeInteger(value) || !/^-?\d+$/.test(text)) return value;
  if (text.replace('-', '').length > limits.digits) throw new PythonReadError('an integer has too many digits');
  return BigInt(text);
}

/** As json.dumps with its defaults: blanks behind commas and colons, and nothing that is not ASCII. */
export function writePythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writePythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${writePythonJson(key)}: ${writePythonJson(member)}`);
    return `{${members.join(', ')}}`;
  }
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
