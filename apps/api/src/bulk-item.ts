import { CustomIdSchema } from '@captionfleet/protocol/custom-id';
import { z } from 'zod';
import { DoorImageSchema } from './task-request.ts';

/** An item of a bulk request, as a caller writes it. */
export const BulkItemSchema = z.strictObject({ custom_id: CustomIdSchema.optional(), image: DoorImageSchema });
