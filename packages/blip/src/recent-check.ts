import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** When something was looked at, and since which start of the machine. */
export const CheckSchema = z.object({ at: z.number(), boot: z.string() });
export type Check = z.infer<typeof CheckSchema>;

/** So long, and until the machine starts again, a look counts for those who come after. */
const trustHours = 6;

export const checkedNow = async (): Promise<Check> => ({ at: Date.now(), boot: await bootOf() });

export const stillCounts = async ({ at, boot }: Check): Promise<boolean> =>
  Date.now() - at < trustHours * 60 * 60 * 1000 && boot === (await bootOf());

/** Another one each time that the machine starts; empty outside Linux. */
const bootOf = (): Promise<string> => readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
