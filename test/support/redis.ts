import { startLocalRedis } from '../../apps/cli/src/local-redis.ts';
import { announce, startContainer } from './containers.ts';

export interface TestRedis extends AsyncDisposable {
  readonly url: string;
}

/** An empty Redis of the test's own: a container, or a local redis-server. */
export async function startRedis(): Promise<TestRedis> {
  const container = await startContainer({
    image: 'redis:7-alpine',
    port: 6379,
    command: ['redis-server', '--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
  });
  if (container === undefined) {
    announce('Redis: local redis-server');
    return await startLocalRedis();
  }
  announce('Redis: container redis:7-alpine');
  return {
    url: `redis://${container.getHost()}:${container.getMappedPort(6379)}`,
    async [Symbol.asyncDispose]() {
      await container.stop();
    },
  };
}
