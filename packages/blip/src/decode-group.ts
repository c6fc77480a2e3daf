import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelManifest } from './model-directory.ts';
import type { SearchRow, SequenceSearch } from './sequence-search.ts';

/** An image whose captions are being searched. */
export interface DecodeItem {
  /** bos and the prompt's tokens. */
  readonly prompt: readonly number[];
  /** The encoder's output for the image: float32 [image tokens, width]. */
  readonly imageEmbeds: Float32Array;
  readonly search: SequenceSearch;
}

interface Live {
  readonly item: DecodeItem;
  /** What this image's next step takes. */
  readonly rows: readonly SearchRow[];
  /** Its first row in the last step. */
  readonly offset: number;
}

/**
 * Runs the text decoder for images whose prompts have one length and whose searches have one width, step by step, until every
 * search is finished. A prompt goes in token by token, one row an image. An image leaves when its search is finished: a step
 * computes no finished rows. Which rows continue which is the graph's gather (`source_rows`), so beams move without copies.
 *
 * @throws the signal's reason between two steps
 */
export async function decodeGroup(
  session: InferenceSession,
  model: ModelManifest,
  items: readonly DecodeItem[],
  signal: AbortSignal,
): Promise<void> {
  const promptLength = items[0]?.prompt.length ?? 0;
  let past = emptyPast(model, items.length);
  let live: readonly Live[] = items.map((item, offset) => ({
    item,
    rows: promptRow(item, 0),
    offset,
  }));
  let imageEmbeds = stackEmbeds(model, live);
  for (let position = 0; live.length > 0; position += 1) {
    signal.throwIfAborted();
    const outputs = await session.run({ ...stepInputs(live, position), image_embeds: imageEmbeds, ...past });
    past = presentAsPast(model, outputs);
    const next =
      position + 1 < promptLength
        ? live.map(({ item }, offset) => ({ item, rows: promptRow(item, position + 1), offset }))
        : advanceSearches(live, outputs['logits'] as Tensor);
    if (next.length < live.length) imageEmbeds = stackEmbeds(model, next);
    live = next;
  }
}

const promptRow = ({ prompt }: DecodeItem, position: number): readonly SearchRow[] => [
  { token: prompt[position] as number, source: 0 },
];

function stepInputs(live: readonly Live[], position: number): Record<string, Tensor> {
  const rows = live.flatMap(({ rows, offset }) =>
    rows.map(({ token, source }) => ({ token, source: offset + source })),
  );
  const integers = (values: readonly number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);
  return {
    ids: integers(rows.map(({ token }) => token)),
    position: integers([position]),
    source_rows: integers(rows.map(({ source }) => source)),
  };
}

/** Shows each search its rows of the logits [rows, vocabulary]; returns those that go on. */
function advanceSearches(live: readonly Live[], logits: Tensor): readonly Live[] {
  const values = logits.data as Float32Array;
  const vocabularySize = logits.dims[1] ?? 0;
  let offset = 0;
  return live.flatMap(({ item, rows }) => {
    const first = offset;
    offset += rows.length;
    const own = rows.map((_, row) =>
      values.subarray((first + row) * vocabularySize, (first + row + 1) * vocabularySize),
    );
    const nextRows = item.search.advance(own);
    return nextRows === undefined ? [] : [{ item, rows: nextRows, offset: first }];
  });
}

/** [images, image tokens, width], copied anew only when an image has left. */
function stackEmbeds({ image }: ModelManifest, live: readonly Live[]): Tensor {
  const size = image.tokens * image.width;
  const stacked = new Float32Array(live.length * size);
  for (const [index, { item }] of live.entries()) stacked.set(item.imageEmbeds, index * size);
  return new Tensor('float32', stacked, [live.length, image.tokens, image.width]);
}

function emptyPast({ text }: ModelManifest, rows: number): Record<string, Tensor> {
  const empty = new Tensor('float32', new Float32Array(0), [rows, text.heads, 0, text.headSize]);
  return Object.fromEntries(stateNames(text.layers).map((name) => [`past_${name}`, empty]));
}

function presentAsPast({ text }: ModelManifest, outputs: InferenceSession.OnnxValueMapType): Record<string, Tensor> {
  return Object.fromEntries(
    stateNames(text.layers).map((name) => [`past_${name}`, outputs[`present_${name}`] as Tensor]),
  );
}

const stateNames = (layers: number): readonly string[] =>
  Array.from({ length: layers }, (_, layer) => [`key_${layer}`, `value_${layer}`]).flat();
