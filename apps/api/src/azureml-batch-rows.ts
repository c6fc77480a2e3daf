import type { Readable, TransformOptions } from 'node:stream';
import { CaptionfleetError, type ErrorReport, reportError } from '@captionfleet/protocol/errors';
import type { ModelTask } from '@captionfleet/protocol/task';
import { CsvError, type Options, parse } from 'csv-parse';
import type { ArrivedImage } from './admission.ts';
import { CellRefused, readImageCell } from './azureml-cell.ts';
import { type DeploymentTask, signatureColumns } from './azureml-scoring.ts';

/** A row of a file: an image and, where it is asked something, the question; or why it is none. */
export type ScoredInput =
  | { readonly image: ArrivedImage; readonly question?: string }
  | { readonly refused: ErrorReport };

/** Bytes of a record: an image at its limit in base64 with its line breaks, and a question. */
const maxRecordBytes = 32 * 1024 * 1024;
/** Rows that are read ahead; each may be as large. */
const rowsAhead = 1;

/**
 * The rows of a CSV file as pandas reads them: its first line names the columns, blank lines are none, cells may have line
 * breaks, and of the other columns, such as the index that pandas writes, nothing is kept.
 *
 * @throws FILE_INVALID, FILE_INVALID also in the middle; what reading the source throws
 */
export async function* readCsvRows(
  source: Readable,
  task: DeploymentTask,
  served: readonly ModelTask[],
): AsyncGenerator<ScoredInput> {
  const options: Options & Pick<TransformOptions, 'readableHighWaterMark'> = {
    bom: true,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: maxRecordBytes,
    readableHighWaterMark: rowsAhead,
  };
  const parser = parse(options);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  let columns: Columns | undefined;
  let line = 0;
  try {
    for await (const record of parser as AsyncIterable<string[]>) {
      line += 1;
      if (columns === undefined) {
        columns = readHeader(record, task, served);
        continue;
      }
      // With more cells than names from the first row on, pandas takes the first cells as the index.
      columns.indexes ??= Math.max(0, record.length - columns.count);
      if (record.length > columns.count + columns.indexes) {
        const message = `record ${line} has ${record.length} cells, and ${columns.count + columns.indexes} were expected`;
        throw new CaptionfleetError('FILE_INVALID', message);
      }
      yield readRow(record, columns.indexes, columns);
    }
  } catch (error) {
    if (error instanceof CsvError) throw new CaptionfleetError('FILE_INVALID', `it is no CSV: ${error.code}`);
    throw error;
  } finally {
    source.destroy();
    parser.destroy();
  }
  if (line < 2) throw new CaptionfleetError('FILE_INVALID', 'it has no rows');
}

interface Columns {
  readonly count: number;
  readonly image: number;
  readonly text: number | undefined;
  /** Cells before those of the first column. */
  indexes?: number;
}

function readHeader(names: readonly string[], task: DeploymentTask, served: readonly ModelTask[]): Columns {
  const asks = task === 'auto' && served.includes('answer') && names.includes('text');
  const wanted: readonly string[] = asks ? ['image', 'text'] : signatureColumns(task, served);
  const missing = wanted.find((name) => !names.includes(name));
  if (missing !== undefined) throw new CaptionfleetError('FILE_INVALID', `it has no column ${missing}`);
  const text = wanted.includes('text') ? names.indexOf('text') : undefined;
  return { count: names.length, image: names.indexOf('image'), text };
}

function readRow(record: readonly string[], indexes: number, { image, text }: Columns): ScoredInput {
  try {
    const read = readImageCell(record[indexes + image] ?? '');
    return text === undefined ? { image: read } : { image: read, question: record[indexes + text] ?? '' };
  } catch (error) {
    if (!(error instanceof CellRefused)) throw error;
    return { refused: reportError(new CaptionfleetError('REQUEST_INVALID', error.message)) };
  }
}

/** What the rows of a file are read from, by its name; undefined for one that the original would end the job for. */
export function fileKind(name: string): 'csv' | 'image' | undefined {
  const [, extension = ''] = /\.([^./]+)$/.exec(name.toLowerCase()) ?? [];
  if (extension === 'csv') return 'csv';
  return ['jpg', 'jpeg', 'png', 'webp', 'gif'].includes(extension) ? 'image' : undefined;
}
