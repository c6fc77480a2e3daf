import type { PythonValue } from './azureml-json.ts';

/**
 * A data frame from its JSON in the orientation "split", as pandas.read_json makes one. Callers send forms that no
 * documentation names and pandas takes, so what is taken here is what pandas takes; what it refuses, for whatever reason, is
 * refused by one error, because the reference server tells no reasons.
 */
export class FrameRefused extends Error {
  override readonly name = 'FrameRefused';
}

/** Cells of the columns that a model's signature names. NaN, of padding and missing values, is null here. */
export interface Frame {
  readonly rows: number;
  /** A column's cells, one a row; undefined where the frame has no such column. */
  column(name: string): readonly PythonValue[] | undefined;
}

type List = readonly PythonValue[];
type Dictionary = ReadonlyMap<string, PythonValue>;
const isList = (value: PythonValue | undefined): value is List => Array.isArray(value);
const isDictionary = (value: PythonValue | undefined): value is Dictionary => value instanceof Map;
const isNull = (value: PythonValue): boolean => value === null || Number.isNaN(value);

/** @throws FrameRefused */
export function readSplitFrame(input: PythonValue): Frame {
  if (!isDictionary(input)) throw new FrameRefused('the input is no object');
  assertReadable(input);
  for (const key of input.keys()) {
    if (!['columns', 'index', 'data'].includes(key)) throw new FrameRefused('a key is none of split');
  }
  const labels = columnLabels(input.get('columns'));
  const index = indexLabels(input.get('index'));
  const cells = cellsOf(input.get('data') ?? null, labels, index);
  return {
    rows: cells[0]?.length ?? index?.length ?? 0,
    column: (name) => cells[labels.indexOf(name)],
  };
}

/** Lists and objects in one another that Python's stack has room for where the input is written for pandas. */
const maxDepth = 969;

/** pandas reads 64 bits of an integer, and no half of a character that comes without its other half before it. */
function assertReadable(value: PythonValue, depth = 1): void {
  if (depth > maxDepth && (isList(value) || isDictionary(value))) throw new FrameRefused('the nesting is too deep');
  if (typeof value === 'bigint' && (value > 2n ** 64n - 1n || value < -(2n ** 63n))) {
    throw new FrameRefused('an integer has more than 64 bits');
  }
  if (typeof value === 'string' && !withoutHighHalves(value).isWellFormed()) {
    throw new FrameRefused('a text has half of a character');
  }
  if (isList(value)) for (const item of value) assertReadable(item, depth + 1);
  if (isDictionary(value)) {
    for (const [key, item] of value) {
      assertReadable(key);
      assertReadable(item, depth + 1);
    }
  }
}

/** The first half of a character without its second is dropped. */
const withoutHighHalves = (text: string): string =>
  text.isWellFormed() ? text : text.replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])/g, '');

const cleaned = (value: PythonValue): PythonValue => (typeof value === 'string' ? withoutHighHalves(value) : value);

/** Labels that can be asked for by a name; the others only count. Of one that comes again the later are renamed. */
function columnLabels(columns: PythonValue | undefined): (string | undefined)[] {
  const names = itemsOf(columns);
  if (names.some(isDictionary)) throw new FrameRefused('a column cannot be an object');
  if (names.length > 0 && names.every(isList)) throw new FrameRefused('columns of several levels');
  const seen = new Map<string, number>();
  return names.map((name) => {
    let label = cleaned(name);
    const key = (): string => (typeof label === 'string' ? `text ${label}` : JSON.stringify(String(label)));
    for (let count = seen.get(key()) ?? 0; count > 0; count = seen.get(key()) ?? 0) {
      seen.set(key(), count + 1);
      label = `${String(label)}.${count}`;
    }
    seen.set(key(), 1);
    return typeof label === 'string' ? label : undefined;
  });
}

/** What Python iterates over: items, characters or keys. */
function itemsOf(value: PythonValue | undefined): List {
  if (isList(value)) return value;
  if (isDictionary(value)) return [...value.keys()];
  if (typeof value === 'string') return [...value];
  throw new FrameRefused('nothing to iterate over');
}

function indexLabels(index: PythonValue | undefined): List | undefined {
  if (index === undefined || index === null) return undefined;
  if (isDictionary(index)) return [...index.keys()];
  if (!isList(index)) throw new FrameRefused('the index is no list');
  if (index.length > 0 && index.every(isList)) throw new FrameRefused('an index of several levels');
  return index;
}

/** By column. */
function cellsOf(data: PythonValue, labels: readonly (string | undefined)[], index: List | undefined): List[] {
  if (isNull(data) || (isList(data) && data.length === 0)) return labels.map(() => (index ?? []).map(() => null));
  if (isDictionary(data)) return fromColumns(data, labels, index);
  if (!isList(data)) return fromScalar(data, labels, index);
  if (isList(data[0]) || isDictionary(data[0])) return fromRows(data, labels, index);
  if (labels.length !== 1) throw new FrameRefused('a list of values is one column');
  if (index !== undefined && index.length !== data.length) throw new FrameRefused('the index has another length');
  return [data.map(cleaned)];
}

function fromScalar(value: PythonValue, labels: readonly unknown[], index: List | undefined): List[] {
  if (index === undefined) throw new FrameRefused('one value needs an index');
  return labels.map(() => index.map(() => cleaned(value)));
}

function fromRows(data: List, labels: readonly (string | undefined)[], index: List | undefined): List[] {
  const rows = isList(data[0]) ? positionalRows(data, labels.length) : data.map((row) => namedRow(row, labels));
  return labels.map((_, column) => {
    const cells = rows.map((row) => cleaned(row[column] ?? null));
    return index === undefined ? cells : ofLength(cells, index.length);
  });
}

/** The longest row has as many cells as there are columns; shorter ones are padded. */
function positionalRows(data: List, columns: number): List[] {
  const rows = data.map(itemsOf);
  if (Math.max(...rows.map((row) => row.length)) !== columns)
    throw new FrameRefused('columns and cells differ in number');
  return rows;
}

function namedRow(row: PythonValue, labels: readonly (string | undefined)[]): List {
  const members = isDictionary(row) ? row : fromPairs(row);
  return labels.map((label) => (label === undefined ? null : (members.get(label) ?? null)));
}

/** As dict(...) takes a list of pairs. */
function fromPairs(row: PythonValue): Dictionary {
  const pairs = itemsOf(row).map(itemsOf);
  if (pairs.some((pair) => pair.length !== 2)) throw new FrameRefused('a row is no object');
  return new Map(pairs.map(([key, value]) => [String(key), value ?? null]));
}

function fromColumns(data: Dictionary, labels: readonly (string | undefined)[], given: List | undefined): List[] {
  const columns = labels.map((label) => (label === undefined ? undefined : data.get(label)));
  if (columns.some(isDictionary) && given?.some((label) => isList(label) || isDictionary(label))) {
    throw new FrameRefused('labels that cannot be looked up');
  }
  const index = given ?? indexOf(columns.filter((column) => column !== undefined && !isNull(column)));
  return columns.map((column) => {
    if (isList(column)) return ofLength(column.map(cleaned), index.length);
    if (isDictionary(column))
      return index.map((label) => cleaned((typeof label === 'string' ? column.get(label) : null) ?? null));
    return index.map(() => cleaned(column ?? null));
  });
}

/** The labels that columns agree on: the numbers of their items, or their keys. */
function indexOf(columns: readonly (PythonValue | undefined)[]): List {
  const lists = columns.filter(isList);
  const dictionaries = columns.filter(isDictionary);
  const [first] = lists;
  if (columns.length > 0 && lists.length + dictionaries.length === 0) throw new FrameRefused('values need an index');
  if (first === undefined) return [...new Set(dictionaries.flatMap((column) => [...column.keys()]))];
  if (dictionaries.length > 0) throw new FrameRefused('lists and objects as columns');
  if (lists.some((column) => column.length !== first.length)) throw new FrameRefused('columns of different lengths');
  return first.map((_, position) => position);
}

/** One value fills a column. */
function ofLength(cells: List, length: number): List {
  if (cells.length === length) return cells;
  if (cells.length === 1) return Array.from({ length }, () => cells[0] ?? null);
  throw new FrameRefused('the index has another length');
}
