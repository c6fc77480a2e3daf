import { bulkLimits } from '@captionfleet/protocol/bulk-request';
import type { TaskType } from '@captionfleet/protocol/task';
import { z } from 'zod';
import { taskRequestSchemas } from './task-request.ts';

const itemsForm = `must be an array of 1 to ${bulkLimits.documentItems} items`;

/** The items of a bulk request that is one document. They are looked at one by one: one without the form is refused by itself. */
export const BulkDocumentSchema = z.looseObject({
  items: z.array(z.unknown(), itemsForm).min(1, itemsForm).max(bulkLimits.documentItems, itemsForm),
});

/** What a bulk request asks of its images: beside the items of a document, or in the first line of an upload. */
export const bulkAskedSchemas = {
  caption: askedOf(taskRequestSchemas.caption),
  match: askedOf(taskRequestSchemas.match),
  embed: askedOf(taskRequestSchemas.embed),
  answer: askedOf(taskRequestSchemas.answer),
} as const satisfies Record<TaskType, z.ZodType>;

function askedOf<Shape extends { images: z.ZodType; lane: z.ZodType }>(schema: z.ZodObject<Shape>): z.ZodType<object> {
  const { images: _, lane: __, ...asked } = schema.shape;
  const placeholder = [{ url: 'https://images.example.org/a.jpg' }];
  // The schema of a request looks once more: it refuses options that contradict each other.
  return z.strictObject(asked).superRefine((value, context) => {
    const whole = schema.safeParse({ ...value, images: placeholder });
    for (const issue of whole.error?.issues ?? []) {
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message });
    }
  });
}
