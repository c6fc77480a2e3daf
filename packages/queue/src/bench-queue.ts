// For the bench only.
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';

/** Jobs of an addBulk, as the producer has them. */
const bulkSize = 500;

/** Adds jobs of the producer's form by BullMQ alone; returns how many a second. */
export async function addRawJobs(redisUrl: string, count: number): Promise<number> {
  const { hostname: host, port } = new URL(redisUrl);
  const queue = new Queue(`raw-${randomUUID()}`, { connection: { host, port: Number(port) }, prefix: '{bench}' });
  const requestId = randomUUID();
  const started = performance.now();
  for (let start = 0; start < count; start += bulkSize) {
    const jobs = Array.from({ length: Math.min(bulkSize, count - start) }, (_, place) => {
      const index = start + place;
      const source = { url: `https://images.example.org/some/folder/${index}.jpg` };
      const data = { version: 1, requestId, index, source, enqueuedAt: 0, options: {} };
      return { name: 'caption', data, opts: { jobId: `${requestId}-${index}` } };
    });
    await queue.addBulk(jobs);
  }
  const seconds = (performance.now() - started) / 1000;
  await queue.close();
  return count / seconds;
}
