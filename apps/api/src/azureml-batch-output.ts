import type { ImageOutcome } from '@captionfleet/protocol/image-outcome';
import type { ScoringJob } from '@captionfleet/protocol/scoring-job';
import type { RequestStore } from '@captionfleet/storage/request-store';
import type { ScoringStore } from '@captionfleet/storage/scoring-store';
import { stringify } from 'csv-stringify/sync';
import { mapBounded } from './map-bounded.ts';

interface PredictionsSource {
  readonly store: Pick<ScoringStore, 'readChunk'>;
  readonly requests: Pick<RequestStore, 'readOutcome'>;
  readonly chunks: number;
  readonly hasFailed: (file: number) => boolean;
  readonly nameOf: (file: number) => string;
}

const readsAtOnce = 16;

/**
 * The lines of `predictions.csv`: position of the row in its file, text, name of the file, without a header, as pandas writes
 * them; by file, then row. Rows that failed are left out, and so are the others of their file unless the job keeps them.
 */
export async function* predictionLines(
  { id, keepsRows }: ScoringJob,
  { store, requests, chunks, hasFailed, nameOf }: PredictionsSource,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let first = 0;
  for (let number = 0; number < chunks; number += 1) {
    const rows = (await store.readChunk(id, number, { signal }))?.rows ?? [];
    const records = await mapBounded([...rows.entries()], readsAtOnce, async ([position, row]) => {
      if ('refused' in row || (hasFailed(row.file) && !keepsRows)) return undefined;
      const text = textOf(await requests.readOutcome(id, first + position, { signal }));
      return text === undefined ? undefined : [row.row, text, nameOf(row.file)];
    });
    first += rows.length;
    const lines = predictionCsv(records.filter((record) => record !== undefined));
    if (lines !== '') yield lines;
  }
}

/** Cells with a comma, a quotation mark or a line break are quoted, and no others. */
export const predictionCsv = (records: readonly (readonly (string | number)[])[]): string =>
  stringify(
    records.map((record) => [...record]),
    { record_delimiter: '\n', quoted_match: /[\r\n]/ },
  );

function textOf(outcome: ImageOutcome | undefined): string | undefined {
  if (outcome?.status !== 'succeeded') return undefined;
  if ('captions' in outcome) return (outcome.captions[0]?.text ?? '').trim();
  if ('answers' in outcome) return (outcome.answers[0]?.text ?? '').trim();
  return undefined;
}
