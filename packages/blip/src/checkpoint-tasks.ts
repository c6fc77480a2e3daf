import type { ModelTask } from '@captionfleet/protocol/task';
import type { Checkpoint } from './checkpoint.ts';
import type { CheckpointConfig } from './checkpoint-config.ts';

/**
 * What a checkpoint has heads for. A file may hold several: MED is one text model in three modes, and a checkpoint whose
 * modes share their weights holds these under the names of each.
 *
 * match    has an ITM head (`itm_head`), beside it the projections of ITC
 * answer   BlipForQuestionAnswering: its text encoder reads questions and its text decoder answers them. The names of its
 *          tensors say nothing of it, so `architectures` must
 * caption  the text decoder of anything else
 *
 * A checkpoint that has none of them counts as a captioner, so that the builder names the tensor that it misses.
 */
export function tasksOf(checkpoint: Checkpoint, { architectures }: CheckpointConfig): readonly ModelTask[] {
  const matches = architectures.includes('BlipForImageTextRetrieval') || checkpoint.has('itm_head.weight');
  const answers = architectures.includes('BlipForQuestionAnswering');
  const hasDecoder = checkpoint.has('text_decoder.bert.embeddings.LayerNorm.weight');
  const captions = architectures.includes('BlipForConditionalGeneration') || (!answers && (hasDecoder || !matches));
  const held: readonly [ModelTask, boolean][] = [
    ['caption', captions],
    ['match', matches],
    ['answer', answers],
  ];
  return held.flatMap(([task, isHeld]) => (isHeld ? [task] : []));
}
