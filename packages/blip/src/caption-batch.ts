import type { TaskOf } from '@captionfleet/protocol/task';
import type { EncodedImage, TaskBatch } from './task-batch.ts';
import type { PlannedText, TextGenerator } from './text-generator.ts';

/** Captions: the decoder looks at the image. */
export function startCaptions(generator: TextGenerator): TaskBatch<TaskOf<'caption'>> {
  const planned: { readonly text: PlannedText; readonly image: EncodedImage }[] = [];
  return {
    add({ options }, image) {
      const text = generator.plan(options);
      planned.push({ text, image });
      return {
        result: () => ({ captions: generator.captions(text) }),
        get spentMs() {
          return text.spentMs;
        },
      };
    },
    async run(signal) {
      for (const { text, image } of planned) text.states = image.states;
      await generator.run(
        planned.map(({ text }) => text),
        signal,
      );
    },
  };
}
