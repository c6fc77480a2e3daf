import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from './config.ts';

const least = { AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true' };

test('with a storage account alone everything else has a default', () => {
  assert.deepEqual(readConfig(least), {
    host: '127.0.0.1',
    port: 8080,
    redisUrl: 'redis://127.0.0.1:6379',
    queuePrefix: '{captionfleet}',
    pool: 'cpu',
    maxWaiting: 10_000,
    tasks: ['caption'],
    blobAccount: { connectionString: 'UseDevelopmentStorage=true' },
    container: 'captionfleet',
    publicUrl: undefined,
    logLevel: 'info',
  });
});

test('an empty variable counts as one that is not set', () => {
  const empty = {
    PORT: '',
    REDIS_URL: '',
    LOG_LEVEL: '',
    CAPTIONFLEET_PUBLIC_URL: '',
    CAPTIONFLEET_TASKS: '',
    CAPTIONFLEET_STORAGE_ACCOUNT_URL: '',
  };
  assert.deepEqual(readConfig({ ...least, ...empty }), readConfig(least));
});

test('the tasks of a fleet stand with commas between them', () => {
  assert.deepEqual(readConfig({ ...least, CAPTIONFLEET_TASKS: 'match,answer' }).tasks, ['match', 'answer']);
});

test('a managed identity needs the account URL alone', () => {
  const accountUrl = 'https://account.blob.core.windows.net';
  assert.deepEqual(readConfig({ CAPTIONFLEET_STORAGE_ACCOUNT_URL: accountUrl }).blobAccount, { accountUrl });
});

test('each wrong variable is named, and no value is repeated', () => {
  const wrong: Readonly<Record<string, string>> = {
    CAPTIONFLEET_TASKS: 'caption,draw',
    PORT: 'canary',
    REDIS_URL: 'http://user:canary@redis',
    CAPTIONFLEET_POOL: 'canary',
    CAPTIONFLEET_MAX_WAITING: '0',
    CAPTIONFLEET_PUBLIC_URL: 'canary',
    LOG_LEVEL: 'canary',
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(
      () => readConfig({ ...least, [name]: value }),
      (error) => error instanceof Error && error.message.includes(name) && !error.message.includes('canary'),
      name,
    );
  }
  assert.throws(() => readConfig({ ...least, PORT: '65536' }), { code: 'CONFIG_INVALID', message: /PORT/ });
  assert.throws(() => readConfig({ PORT: 'a', LOG_LEVEL: 'b' }), { message: /LOG_LEVEL.*PORT/ });
  const both = { ...least, CAPTIONFLEET_STORAGE_ACCOUNT_URL: 'https://account.blob.core.windows.net' };
  for (const env of [{}, both]) {
    assert.throws(() => readConfig(env), {
      message: /AZURE_STORAGE_CONNECTION_STRING.*CAPTIONFLEET_STORAGE_ACCOUNT_URL/,
    });
  }
});
