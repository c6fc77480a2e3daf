import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import type { Reading, ScoringJob } from '@captionfleet/protocol/scoring-job';
import type { ModelTask } from '@captionfleet/protocol/task';
import type { BlobFiles } from '@captionfleet/storage/blob-files';
import { fileKind, readCsvRows, type ScoredInput } from './azureml-batch-rows.ts';

/** Rows as they were read, before their images are looked at; what a chunk is made of. */
export interface RowsRead {
  readonly rows: { readonly file: number; readonly row: number; readonly input: ScoredInput }[];
  readonly files: { file: number; name: string; failed?: ErrorReport }[];
  reading: Reading;
}

interface ReadingConfig {
  readonly files: Pick<BlobFiles, 'listFolder' | 'read'>;
  /** What the fleet has models for. */
  readonly tasks: readonly ModelTask[];
  /** Rows of a chunk, at most. */
  readonly chunkRows: number;
}

/** Bytes of images after which a chunk is closed, and files, which may have no rows. */
const chunkBytes = 8 * 1024 * 1024;
const chunkFiles = 256;
/** Milliseconds for the next row of a file that is being read. */
const rowMs = 60_000;

/**
 * Reads the files of a job from where an earlier reading ended, in the order of their names, and then their rows.
 *
 * @throws FILE_UNSUPPORTED or SOURCE_NOT_FOUND, which end the job; STORAGE_UNAVAILABLE
 */
export async function* readRows(
  job: ScoringJob,
  from: Reading,
  config: ReadingConfig,
  signal: AbortSignal,
): AsyncGenerator<RowsRead> {
  const pending = new PendingRows(from, config.chunkRows);
  for await (const name of fileNames(job, from, config, signal)) {
    yield* readFile(job, name, pending, config, signal);
    if (pending.closeFile()) yield pending.take();
  }
  const isNothing = pending.reading.file === 0 && pending.reading.rows === 0;
  if (isNothing) throw new CaptionfleetError('SOURCE_NOT_FOUND', `there is nothing to score in ${described(job)}`);
  if (!pending.isEmpty) yield pending.take();
}

async function* readFile(
  job: ScoringJob,
  name: string,
  pending: PendingRows,
  config: ReadingConfig,
  signal: AbortSignal,
): AsyncGenerator<RowsRead> {
  const skipped = pending.openFile(name);
  try {
    let row = 0;
    for await (const input of inputsOf(job, name, config, signal)) {
      row += 1;
      if (row > skipped && pending.addRow(input, row - 1)) yield pending.take();
    }
  } catch (error) {
    if (!(error instanceof CaptionfleetError && failsFile.has(error.code))) throw error;
    pending.failFile(reportError(error));
  }
}

/** Collects rows, across files, until there are enough of them for a chunk. */
class PendingRows {
  readonly #chunkRows: number;
  #name = '';
  #bytes = 0;
  #pending: RowsRead;

  constructor(reading: Reading, chunkRows: number) {
    this.#chunkRows = chunkRows;
    this.#pending = { rows: [], files: [], reading };
  }

  get reading(): Reading {
    return this.#pending.reading;
  }

  get isEmpty(): boolean {
    return this.#pending.rows.length === 0 && this.#pending.files.length === 0;
  }

  /** Returns how many of its rows were read before. */
  openFile(name: string): number {
    this.#name = name;
    this.#nameFile();
    return this.reading.rows;
  }

  /** True when the chunk is full. */
  addRow(input: ScoredInput, row: number): boolean {
    const { file } = this.reading;
    this.#nameFile();
    this.#pending.rows.push({ file, row, input });
    this.#bytes += 'image' in input && 'bytes' in input.image ? input.image.bytes.byteLength : 0;
    this.#pending.reading = { ...this.reading, rows: row + 1 };
    return this.#pending.rows.length >= this.#chunkRows || this.#bytes >= chunkBytes;
  }

  failFile(failed: ErrorReport): void {
    this.#nameFile().failed = failed;
  }

  /** True when the chunk is full. */
  closeFile(): boolean {
    this.#pending.reading = { after: this.#name, file: this.reading.file + 1, rows: 0 };
    return this.#pending.files.length >= chunkFiles;
  }

  take(): RowsRead {
    const taken = { ...this.#pending };
    this.#pending = { rows: [], files: [], reading: taken.reading };
    this.#bytes = 0;
    return taken;
  }

  /** The file that is read, as this chunk names it. */
  #nameFile(): RowsRead['files'][number] {
    const { file } = this.reading;
    const last = this.#pending.files.at(-1);
    if (last?.file === file) return last;
    const entry = { file, name: baseName(this.#name) };
    this.#pending.files.push(entry);
    return entry;
  }
}

/** What one file is to blame for. */
const failsFile: ReadonlySet<string> = new Set(['FILE_INVALID']);

const described = ({ input: { container, name, isFolder } }: ScoringJob): string =>
  isFolder ? `folder "${name}" of container "${container}"` : `blob "${name}" of container "${container}"`;

const baseName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

async function* fileNames(
  { input }: ScoringJob,
  { after }: Reading,
  { files }: ReadingConfig,
  signal: AbortSignal,
): AsyncGenerator<string> {
  if (!input.isFolder) {
    if (after === undefined) yield input.name;
    return;
  }
  for await (const page of files.listFolder(input.container, input.name, { after, signal })) {
    for (const { name } of page) yield name;
  }
}

async function* inputsOf(
  { input: { container }, task }: ScoringJob,
  name: string,
  { files, tasks }: ReadingConfig,
  signal: AbortSignal,
): AsyncGenerator<ScoredInput> {
  const kind = fileKind(name);
  if (kind === undefined) {
    const message = `"${baseName(name)}" is neither CSV nor JPEG, PNG, WebP or GIF by its name`;
    throw new CaptionfleetError('FILE_UNSUPPORTED', message);
  }
  if (kind === 'image') {
    if (task === 'answer' || !tasks.includes('caption')) {
      throw new CaptionfleetError('FILE_INVALID', 'an image by itself has no question');
    }
    yield { image: { blob: { container, name } } };
    return;
  }
  const source = await files.read(container, name, { signal });
  if (source === undefined) throw new CaptionfleetError('SOURCE_NOT_FOUND', `there is no blob "${name}"`);
  yield* inTime(readCsvRows(source, task, tasks), () => source.destroy());
}

/** Gives up on a source that sends nothing for too long while it is waited for. */
async function* inTime<T>(rows: AsyncGenerator<T>, giveUp: () => unknown): AsyncGenerator<T> {
  try {
    for (;;) {
      const timer = new AbortController();
      const late = delay(rowMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
      const next = rows.next();
      next.catch(() => undefined);
      const first = await Promise.race([next, late]).finally(() => timer.abort());
      if (first === 'late') throw new CaptionfleetError('STORAGE_UNAVAILABLE', 'a file stopped arriving');
      if (first.done === true) return;
      yield first.value;
    }
  } finally {
    giveUp();
    rows.return(undefined).catch(() => undefined);
  }
}
