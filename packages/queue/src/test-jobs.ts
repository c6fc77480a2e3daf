// For tests only.
import { randomBytes } from 'node:crypto';
import type { CaptionJob } from '@captionfleet/protocol/caption-job';

/** The jobs of one new request. */
export function makeJobs(count: number): CaptionJob[] {
  const requestId = `0${randomBytes(15).toString('hex').slice(0, 25)}`;
  const source = { url: 'https://images.example.org/a.jpg' };
  return Array.from({ length: count }, (_, index) => ({
    version: 1 as const,
    requestId,
    index,
    source,
    options: {},
    enqueuedAt: Date.now(),
  }));
}
