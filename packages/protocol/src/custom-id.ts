import { z } from 'zod';

const form = 'must have 1 to 64 characters, none of them a control character';

/** The caller's own name of an image; the fleet says it wherever it speaks of the image, and does nothing else with it. */
export const CustomIdSchema = z
  .string(form)
  .regex(/^[^\p{Cc}\p{Cs}]{1,64}$/u, form)
  // The same for readers whose regular expressions know no Unicode categories; JSON text cannot hold surrogates.
  .meta({ pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]{1,64}$' });
