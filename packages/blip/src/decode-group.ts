import { type InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelManifest } from './model-directory.ts';
import type { NextToken, SearchRow, SequenceSearch } from './sequence-search.ts';
import { free, integers } from './tensors.ts';

/** An image whose captions, or a question whose answers, are being searched. */
export interface DecodeItem {
  /** bos and the prompt's tokens. */
  readonly prompt: readonly number[];
  /** What the decoder looks at: the states of the image or of the question. */
  readonly states: States;
  readonly search: SequenceSearch;
}

/** An encoder's output for one image or text: float32 [tokens, width]. */
export interface States {
  readonly values: Float32Array;
  /** The same as [width, tokens], for a decoder that takes both. */
  readonly transposed?: Float32Array;
  readonly tokens: number;
}

interface Live {
  readonly item: DecodeItem;
  /** What this item's next step takes. */
  readonly rows: readonly SearchRow[];
  /** Its first row in the last step. */
  readonly offset: number;
}

/**
 * Runs a text decoder for items whose prompts and states have one length and whose searches have one width, step by step,
 * until every search is finished. A prompt goes in token by token, one row an item. An item leaves when its search is
 * finished: a step computes no finished rows. Which rows continue which is the graph's gather (`source_rows`), so beams move without copies.
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
  let states = stackStates(live);
  for (let position = 0; live.length > 0; position += 1) {
    signal.throwIfAborted();
    const outputs = await session.run({ ...stepInputs(live, position), ...states, ...past });
    Object.values(past).forEach(free);
    past = presentAsPast(model, outputs);
    const next =
      position + 1 < promptLength
        ? live.map(({ item }, offset) => ({ item, rows: promptRow(item, position + 1), offset }))
        : advanceSearches(live, outputs);
    free(outputs['logits'] as Tensor);
    if (next.length < live.length) {
      Object.values(states).forEach(free);
      states = stackStates(next);
    }
    live = next;
  }
  Object.values(past).forEach(free);
}

const promptRow = ({ prompt }: DecodeItem, position: number): readonly SearchRow[] => [
  { token: prompt[position] as number, source: 0 },
];

function stepInputs(live: readonly Live[], position: number): Record<string, Tensor> {
  const rows = live.flatMap(({ rows, offset }) =>
    rows.map(({ token, source }) => ({ token, source: offset + source })),
  );
  return {
    ids: integers(rows.map(({ token }) => token)),
    position: integers([position]),
    source_rows: integers(rows.map(({ source }) => source)),
  };
}

/** Shows each search what follows its rows; returns those that go on. */
function advanceSearches(live: readonly Live[], outputs: InferenceSession.OnnxValueMapType): readonly Live[] {
  const logits = outputs['logits'] as Tensor;
  const values = logits.data as Float32Array;
  const normalizers = outputs['log_normalizers']?.data as Float32Array;
  const vocabularySize = logits.dims[1] ?? 0;
  let offset = 0;
  return live.flatMap(({ item, rows }) => {
    const first = offset;
    offset += rows.length;
    const following = rows.map(
      (_, row): NextToken => ({
        logits: values.subarray((first + row) * vocabularySize, (first + row + 1) * vocabularySize),
        logNormalizer: normalizers[first + row] as number,
      }),
    );
    const nextRows = item.search.advance(following);
    return nextRows === undefined ? [] : [{ item, rows: nextRows, offset: first }];
  });
}

/** The decoder's inputs of states, copied anew only when an item has left. */
function stackStates(live: readonly Live[]): Record<string, Tensor> {
  const all = live.map(({ item }) => item.states);
  const [first = { values: new Float32Array(0), tokens: 1 }] = all;
  const width = first.values.length / first.tokens;
  const values = stack(all.map((states) => states.values));
  if (first.transposed === undefined)
    return { states: new Tensor('float32', values, [all.length, first.tokens, width]) };
  const transposed = stack(all.map((states) => states.transposed ?? new Float32Array(0)));
  return {
    states: new Tensor('float32', values, [all.length, first.tokens, width]),
    states_transposed: new Tensor('float32', transposed, [all.length, width, first.tokens]),
  };
}

function stack(arrays: readonly Float32Array[]): Float32Array {
  const size = arrays[0]?.length ?? 0;
  const stacked = new Float32Array(arrays.length * size);
  for (const [index, values] of arrays.entries()) stacked.set(values, index * size);
  return stacked;
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
