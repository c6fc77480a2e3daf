import { z } from 'zod';
import { idsBackwards, type ListIds } from './ids-backwards.ts';

/** A page in OpenAI's form, newest first. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    object: z.literal('list'),
    data: z.array(item),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

const maxPerPage = 100;
const limitForm = `must be a whole number from 1 to ${maxPerPage}`;

export const pageQuery = {
  limit: z.coerce.number<string>(limitForm).int(limitForm).min(1, limitForm).max(maxPerPage, limitForm).default(20),
} as const;

interface PageOptions<Item> {
  readonly list: ListIds;
  /** The id after which the page begins; undefined for the first. */
  readonly after: string | undefined;
  readonly limit: number;
  /** Undefined for what is not part of the list. */
  readonly find: (id: string) => Promise<Item | undefined>;
}

/** @throws what `list` and `find` throw */
export async function readPage<Item extends { readonly id: string }>(
  { list, after, limit, find }: PageOptions<Item>,
  signal: AbortSignal,
) {
  const data: Item[] = [];
  const page = (hasMore: boolean) => ({
    object: 'list' as const,
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: hasMore,
  });
  for await (const ids of idsBackwards(list, { oldest: 0, before: after }, signal)) {
    for (const id of ids) {
      const item = await find(id);
      if (item === undefined) continue;
      if (data.length === limit) return page(true);
      data.push(item);
    }
  }
  return page(false);
}
