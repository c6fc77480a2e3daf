import { CustomIdSchema } from '@captionfleet/protocol/custom-id';
import { type GenerationOptions, GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';
import { imageLimits } from '@captionfleet/protocol/image-reference';
import { optionConflict } from '@captionfleet/protocol/option-conflict';
import { type Lane, LaneSchema } from '@captionfleet/protocol/queue-names';
import { AnswerOptionsSchema, type Task, TaskSchema, TaskSchemas, type TaskType } from '@captionfleet/protocol/task';
import { type Webhook, WebhookSchema } from '@captionfleet/protocol/webhook';
import { z } from 'zod';
import { DeadlineSchema } from './deadline.ts';

const customId = CustomIdSchema.optional().describe(
  "The caller's name of the image, repeated wherever it is spoken of.",
);

/**
 * An image as a caller names it. Only the form is checked here; the values are looked at image by image in admission.ts,
 * so that one bad image does not fail its neighbours.
 */
export const DoorImageSchema = z.union(
  [
    z.strictObject({
      customId,
      url: z
        .string()
        .describe(`An http or https URL of at most ${imageLimits.urlLength} characters.`)
        .meta({ format: 'uri', maxLength: imageLimits.urlLength }),
    }),
    z.strictObject({
      customId,
      base64: z
        .string()
        .describe(
          `The bytes of the image, at most ${imageLimits.bytes} of them, in base64 (RFC 4648 section 4, padded). Line breaks and blanks are ignored; a leading "data:image/...;base64," too.`,
        )
        .meta({ contentEncoding: 'base64' }),
    }),
    z.strictObject({
      customId,
      blob: z
        .strictObject({ container: z.string(), name: z.string() })
        .describe("A blob of the fleet's storage account, in a container that the fleet is configured to read."),
    }),
  ],
  {
    error:
      'must be {"url": "..."}, {"base64": "..."} or {"blob": {"container": "...", "name": "..."}}, with a "customId" of 1 to 64 characters or without',
  },
);
export type DoorImage = z.infer<typeof DoorImageSchema>;

const imagesForm = `must be an array of 1 to ${imageLimits.perRequest} images`;
const images = z.array(DoorImageSchema, imagesForm).min(1, imagesForm).max(imageLimits.perRequest, imagesForm);
const lane = LaneSchema.default('interactive').describe(
  'Images of `bulk` wait until no image of `interactive` does; each lane has a queue of its own.',
);
const { match, embed, answer } = TaskSchemas;

/** What no model could do is refused here, once, and not image by image. */
function refuseConflicts({ options }: { readonly options: GenerationOptions }, context: z.core.$RefinementCtx): void {
  const conflict = optionConflict(options);
  if (conflict === undefined) return;
  context.addIssue({ code: 'custom', path: ['options', conflict.option], message: conflict.message });
}

/** What a body may say beside the task and its images. */
const terms = {
  deadline: DeadlineSchema,
  webhook: WebhookSchema.describe('Is told of the end of this request.').optional(),
};

/** The bodies of the routes that take work: images, and what a task asks of each of them. */
export const taskRequestSchemas = {
  caption: z
    .strictObject({ images, lane, options: GenerationOptionsSchema.default({}), ...terms })
    .superRefine(refuseConflicts),
  match: z.strictObject({
    images,
    lane,
    texts: match.shape.texts.describe('Each is matched with each image; as many tokens as the model takes, at most.'),
    ...terms,
  }),
  embed: z.strictObject({
    images,
    lane,
    texts: embed.shape.texts.default([]).describe('Embedded too, the same for each image.'),
    ...terms,
  }),
  answer: z
    .strictObject({
      images,
      lane,
      questions: answer.shape.questions.describe('Each is asked of each image.'),
      options: AnswerOptionsSchema.default({}),
      ...terms,
    })
    .superRefine(refuseConflicts),
} as const satisfies Record<TaskType, z.ZodObject>;

/** What a body asks of its images. */
export const taskOf = (
  type: TaskType,
  { images: _, lane: __, deadline: ___, webhook: ____, ...asked }: TaskBody,
): Task => TaskSchema.parse({ type, ...asked });

/** What every body has beside what its task asks. */
export interface TaskBody {
  readonly images: readonly DoorImage[];
  readonly lane: Lane;
  readonly deadline?: string | undefined;
  readonly webhook?: Webhook | undefined;
}
