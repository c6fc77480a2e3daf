// For tests only: a worker process that prints the id of each job that it takes and then never ends it.
import { openConsumer } from './consumer.ts';

const [redisUrl = '', queue = ''] = process.argv.slice(2);
await openConsumer({ redisUrl, queue, prefix: '{test}', concurrency: 10, lockMs: 500 }, async ({ jobId }) => {
  process.stdout.write(`${jobId}\n`);
  await new Promise(() => undefined);
});
