import assert from 'node:assert/strict';
import { availableParallelism, homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CaptionfleetError } from '@captionfleet/protocol/errors';
import { readConfig } from './config.ts';

const required = { CAPTIONFLEET_MODEL_DIR: 'model', AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true' };

const refusal = (env: NodeJS.ProcessEnv): string => {
  try {
    readConfig({ ...required, ...env });
  } catch (error) {
    assert.equal((error as CaptionfleetError).code, 'CONFIG_INVALID');
    return (error as CaptionfleetError).message;
  }
  assert.fail(`${JSON.stringify(env)} was accepted`);
};

test('a model directory and a storage account are enough', () => {
  const config = readConfig({ ...required, LOG_LEVEL: '' });
  assert.deepEqual(config, {
    redisUrl: 'redis://127.0.0.1:6379',
    queuePrefix: '{captionfleet}',
    lanes: ['interactive', 'bulk'],
    pool: 'cpu',
    modelDirectory: 'model',
    variant: 'auto',
    cacheDirectory: join(homedir(), '.cache', 'captionfleet'),
    driftCheckHours: 6,
    inferenceProcesses: availableParallelism(),
    threadsPerProcess: 1,
    cpuAffinity: 'off',
    batchMaxImages: 8,
    batchMaxWaitMs: 10,
    drainMs: 25_000,
    azureMetadata: { url: 'http://169.254.169.254', isExpected: false },
    inferenceTimeoutMs: 120_000,
    blobAccount: { connectionString: 'UseDevelopmentStorage=true' },
    container: 'captionfleet',
    imageContainers: [],
    allowPrivateHosts: [],
    healthHost: '127.0.0.1',
    healthPort: 9400,
    healthNames: [],
    logLevel: 'info',
    tracing: undefined,
    machine: {
      size: undefined,
      zone: undefined,
      priority: undefined,
      usdPerHour: undefined,
      check: 'warn',
      allowedSizes: [],
    },
  });
});

test('the machine has a size, a price and sizes that are accepted, by the names that Azure has for them', () => {
  const { machine } = readConfig({
    ...required,
    CAPTIONFLEET_MACHINE_SIZE: 'standard_d4as_v6',
    CAPTIONFLEET_MACHINE_PRIORITY: 'spot',
    CAPTIONFLEET_USD_PER_HOUR: '0.05',
    CAPTIONFLEET_ALLOWED_SIZES: 'D4as_v6,Standard_D8as_v9',
  });
  assert.equal(machine.size, 'Standard_D4as_v6');
  assert.equal(machine.usdPerHour, 0.05);
  assert.deepEqual(machine.allowedSizes, ['Standard_D4as_v6', 'Standard_D8as_v9']);
  assert.equal(readConfig({ ...required, CAPTIONFLEET_USD_PER_HOUR: 'catalogue' }).machine.usdPerHour, 'catalogue');
  assert.match(refusal({ CAPTIONFLEET_USD_PER_HOUR: '-1' }), /^CAPTIONFLEET_USD_PER_HOUR: must be a price/);
  assert.match(refusal({ CAPTIONFLEET_ALLOWED_SIZES: 'big ones' }), /^CAPTIONFLEET_ALLOWED_SIZES.0: must be a machine/);
});

test('lists have commas between their items', () => {
  const config = readConfig({
    ...required,
    CAPTIONFLEET_CPU_AFFINITY: '0,2',
    CAPTIONFLEET_IMAGE_CONTAINERS: 'photos,scans',
    CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: 'images.intranet:8080,[::1]:80',
  });
  assert.deepEqual(config.cpuAffinity, [0, 2]);
  assert.deepEqual(config.imageContainers, ['photos', 'scans']);
  assert.deepEqual(config.allowPrivateHosts, ['images.intranet:8080', '[::1]:80']);
});

test('the metadata service is asked nowhere but on this machine', () => {
  const endpoint = (CAPTIONFLEET_AZURE_METADATA: string) =>
    readConfig({ ...required, CAPTIONFLEET_AZURE_METADATA }).azureMetadata;
  assert.equal(endpoint('off'), undefined);
  for (const url of ['http://127.0.0.1:9000', 'http://[::1]:9000', 'http://localhost', 'http://169.254.169.254'])
    assert.deepEqual(endpoint(`${url}/`), { url, isExpected: true });
  const elsewhere = ['http://10.0.0.4', 'https://127.0.0.1', 'http://user:secret@127.0.0.1', 'http://127.0.0.1/path'];
  for (const url of [...elsewhere, 'http://127.0.0.1.example.org', 'http://127.0.0.1?a', 'on', 'AUTO'])
    assert.equal(
      refusal({ CAPTIONFLEET_AZURE_METADATA: url }),
      'CAPTIONFLEET_AZURE_METADATA: must be off, auto, or a URL such as http://127.0.0.1:9000 to this machine',
    );
});

test('what is wrong is named, and no value is shown', () => {
  assert.match(refusal({ CAPTIONFLEET_MODEL_DIR: '' }), /^CAPTIONFLEET_MODEL_DIR: must be a model directory/);
  assert.match(refusal({ CAPTIONFLEET_CPU_AFFINITY: 'all' }), /^CAPTIONFLEET_CPU_AFFINITY: must be off, auto/);
  assert.match(refusal({ CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: 'intranet' }), /^CAPTIONFLEET_ALLOW_PRIVATE_HOSTS/);
  assert.match(refusal({ CAPTIONFLEET_BATCH_MAX_IMAGES: '0' }), /^CAPTIONFLEET_BATCH_MAX_IMAGES/);
  assert.match(refusal({ CAPTIONFLEET_CONTAINER: 'ab' }), /^CAPTIONFLEET_CONTAINER: must be a container name/);
  assert.match(
    refusal({ CAPTIONFLEET_IMAGE_CONTAINERS: 'photos, scans' }),
    /^CAPTIONFLEET_IMAGE_CONTAINERS.1: must be/,
  );
  for (const processes of ['0', '1000', '1.5', 'many']) {
    assert.equal(
      refusal({ CAPTIONFLEET_INFERENCE_PROCESSES: processes }),
      'CAPTIONFLEET_INFERENCE_PROCESSES: must be a whole number from 1 to 256',
    );
  }
  assert.match(refusal({ CAPTIONFLEET_DRAIN_MS: 'soon' }), /^CAPTIONFLEET_DRAIN_MS/);
  const both = refusal({ CAPTIONFLEET_STORAGE_ACCOUNT_URL: 'https://account.blob.core.windows.net' });
  assert.match(both, /^AZURE_STORAGE_CONNECTION_STRING: set either this or CAPTIONFLEET_STORAGE_ACCOUNT_URL/);
  const secret = refusal({ REDIS_URL: 'http://user:hunter2@example.com', CAPTIONFLEET_LANES: 'fast' });
  assert.match(secret, /REDIS_URL: .*; CAPTIONFLEET_LANES.0: /);
  assert.doesNotMatch(secret, /hunter2/);
});
