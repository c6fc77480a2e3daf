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
    pools: ['cpu'],
    maxWaiting: 10_000,
    tasks: ['caption'],
    blobAccount: { connectionString: 'UseDevelopmentStorage=true' },
    container: 'captionfleet',
    auth: { keys: false, entra: undefined },
    requestsPerSecond: 50,
    imagesPerMinute: 0,
    admin: { host: '127.0.0.1', port: 9401, allowedHosts: [] },
    webhookPrivateHosts: [],
    publicUrl: undefined,
    corsOrigins: [],
    scaling: {
      cpu: {
        minReplicas: 0,
        maxReplicas: 10,
        sloSeconds: { interactive: 30, bulk: 3_600 },
        coldStartSeconds: undefined,
        assumedImagesPerSecond: 1,
        scaleDownAfterSeconds: 120,
      },
      gpu: {
        minReplicas: 0,
        maxReplicas: 10,
        sloSeconds: { interactive: 30, bulk: 3_600 },
        coldStartSeconds: undefined,
        assumedImagesPerSecond: 20,
        scaleDownAfterSeconds: 120,
      },
    },
    azureml: undefined,
    logLevel: 'info',
    tracing: undefined,
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

test('an AzureML batch endpoint has the settings of a deployment, and never writes into the container of the fleet', () => {
  const batch = {
    CAPTIONFLEET_AZUREML: 'container',
    CAPTIONFLEET_AZUREML_BATCH: 'on',
    CAPTIONFLEET_IMAGE_CONTAINERS: 'photos,captionfleet',
    CAPTIONFLEET_AZUREML_OUTPUT_CONTAINERS: 'results',
    CAPTIONFLEET_AZUREML_DATASTORES: 'store=photos,scans_2=photos/scans/2026',
    CAPTIONFLEET_AZUREML_ERROR_THRESHOLD: '0',
  };
  assert.deepEqual(readConfig({ ...least, ...batch }).azureml?.batch, {
    inputContainers: ['photos'],
    outputContainers: ['results'],
    datastores: [
      { datastore: 'store', container: 'photos', name: '' },
      { datastore: 'scans_2', container: 'photos', name: 'scans/2026' },
    ],
    settings: { miniBatchSize: 10, errorThreshold: 0, maxRetries: 3, timeoutSeconds: 30, outputAction: 'append_row' },
    outputFileName: 'predictions.csv',
    deployments: [{ name: 'default', task: 'auto', weight: 100 }],
  });
  const wrong: Readonly<Record<string, string>> = {
    CAPTIONFLEET_AZUREML: 'off',
    CAPTIONFLEET_AZUREML_BATCH: 'yes',
    CAPTIONFLEET_AZUREML_OUTPUT_CONTAINERS: 'captionfleet',
    CAPTIONFLEET_AZUREML_DATASTORES: 'store=Photos',
    CAPTIONFLEET_AZUREML_ERROR_THRESHOLD: '-2',
    CAPTIONFLEET_AZUREML_OUTPUT_FILE_NAME: '../predictions.csv',
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(
      () => readConfig({ ...least, ...batch, [name]: value }),
      (error) => error instanceof Error && error.message.startsWith(name),
      name,
    );
  }
});

test('the AzureML surface is off, a container, or a front end with keys and deployments', () => {
  assert.deepEqual(readConfig({ ...least, CAPTIONFLEET_AZUREML: 'container' }).azureml, {
    port: 5001,
    scoringTimeoutMs: 180_000,
    rowErrors: false,
    serverVersion: 'azmlinfsrv/1.5.1',
    maxInFlight: 64,
    batch: undefined,
    frontend: undefined,
  });
  const frontend = {
    CAPTIONFLEET_AZUREML: 'frontend',
    CAPTIONFLEET_AZUREML_KEYS: 'first-key-0123456,second-key-012345',
    CAPTIONFLEET_AZUREML_DEPLOYMENTS: 'blue=90,green:answer=10',
    CAPTIONFLEET_AZUREML_MIRROR: 'green=25',
    CAPTIONFLEET_AZUREML_MAX_CONCURRENT: '3',
    CAPTIONFLEET_AZUREML_INSTANCES: '2',
    CAPTIONFLEET_AZUREML_SERVER_VERSION: 'off',
  };
  assert.deepEqual(readConfig({ ...least, ...frontend }).azureml, {
    port: 5001,
    scoringTimeoutMs: 180_000,
    rowErrors: false,
    serverVersion: undefined,
    maxInFlight: 12,
    batch: undefined,
    frontend: {
      keys: ['first-key-0123456', 'second-key-012345'],
      deployments: [
        { name: 'blue', task: 'auto', weight: 90 },
        { name: 'green', task: 'answer', weight: 10 },
      ],
      mirror: { name: 'green', percent: 25 },
      requestTimeoutMs: 90_000,
    },
  });
  const wrong: Readonly<Record<string, string>> = {
    CAPTIONFLEET_AZUREML_KEYS: '',
    CAPTIONFLEET_AZUREML_DEPLOYMENTS: 'blue=90',
    CAPTIONFLEET_AZUREML_MIRROR: 'canary=10',
    CAPTIONFLEET_AZUREML_MAX_CONCURRENT: '0',
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(
      () => readConfig({ ...least, ...frontend, [name]: value }),
      (error) => error instanceof Error && error.message.includes(name) && !error.message.includes('canary'),
      name,
    );
  }
  for (const deployments of ['b=100', 'blue:draw=100', 'blue--green=100', 'blue=50,blue=50', 'blue=101', 'canary']) {
    const env = { ...least, ...frontend, CAPTIONFLEET_AZUREML_DEPLOYMENTS: deployments };
    assert.throws(() => readConfig(env), { message: /CAPTIONFLEET_AZUREML_DEPLOYMENTS/ }, deployments);
  }
});

const tid = '11111111-2222-3333-4444-555555555555';
const clientId = '66666666-7777-8888-9999-aaaaaaaaaaaa';
const entra = {
  CAPTIONFLEET_AUTH: 'entra',
  CAPTIONFLEET_ENTRA_TENANTS: tid,
  CAPTIONFLEET_ENTRA_CLIENT_ID: clientId.toUpperCase(),
};

test('anyone may call from this machine; from beyond it only when that is said twice', () => {
  for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) {
    assert.deepEqual(readConfig({ ...least, HOST }).auth, { keys: false, entra: undefined }, HOST);
  }
  for (const HOST of ['0.0.0.0', '::', '10.0.0.1', 'api', '127.0.0.1.example.org']) {
    const message = /^CAPTIONFLEET_AUTH: is off.*CAPTIONFLEET_ALLOW_UNAUTHENTICATED/;
    assert.throws(() => readConfig({ ...least, HOST }), { code: 'CONFIG_INVALID', message }, HOST);
    assert.equal(readConfig({ ...least, HOST, CAPTIONFLEET_AUTH: 'keys' }).auth.keys, true);
    assert.equal(readConfig({ ...least, HOST, CAPTIONFLEET_ALLOW_UNAUTHENTICATED: 'true' }).auth.keys, false);
    // The container of AzureML asks for no key, whatever the API does.
    const container = { ...least, HOST, CAPTIONFLEET_AUTH: 'keys', CAPTIONFLEET_AZUREML: 'container' };
    assert.throws(() => readConfig(container), { message: /^CAPTIONFLEET_AZUREML: is container/ }, HOST);
  }
});

test('tokens need the tenants and the application that they are for', () => {
  const names = `${tid}=acme,${tid}/${clientId}=acme-batch`;
  const { auth } = readConfig({ ...least, ...entra, CAPTIONFLEET_ENTRA_TENANT_NAMES: names });
  assert.deepEqual(auth.entra, {
    authority: 'https://login.microsoftonline.com',
    tenants: [tid],
    clientId,
    tenantNames: new Map([
      [tid, 'acme'],
      [`${tid}/${clientId}`, 'acme-batch'],
    ]),
  });
  const wrong: readonly (readonly [name: string, value: string])[] = [
    ['CAPTIONFLEET_ENTRA_TENANTS', ''],
    ['CAPTIONFLEET_ENTRA_TENANTS', 'common'],
    ['CAPTIONFLEET_ENTRA_CLIENT_ID', ''],
    ['CAPTIONFLEET_ENTRA_CLIENT_ID', 'api'],
    ['CAPTIONFLEET_ENTRA_TENANT_NAMES', `${clientId}=acme`],
    ['CAPTIONFLEET_ENTRA_TENANT_NAMES', `${tid}=Acme`],
    ['CAPTIONFLEET_ENTRA_TENANT_NAMES', tid],
    ['CAPTIONFLEET_ENTRA_AUTHORITY', 'http://login.example.org'],
  ];
  for (const [name, value] of wrong) {
    assert.throws(() => readConfig({ ...least, ...entra, [name]: value }), { message: new RegExp(name) }, value);
  }
});

test('each wrong variable is named, and no value is repeated', () => {
  const wrong: Readonly<Record<string, string>> = {
    CAPTIONFLEET_TASKS: 'caption,draw',
    PORT: 'canary',
    REDIS_URL: 'http://user:canary@redis',
    CAPTIONFLEET_POOL: 'canary',
    CAPTIONFLEET_MAX_WAITING: '0',
    CAPTIONFLEET_PUBLIC_URL: 'canary',
    CAPTIONFLEET_CORS_ORIGINS: 'https://app.example.org/path',
    CAPTIONFLEET_AUTH: 'canary',
    CAPTIONFLEET_ALLOW_UNAUTHENTICATED: 'canary',
    CAPTIONFLEET_IMAGES_PER_MINUTE: '63',
    CAPTIONFLEET_ADMIN_PORT: 'canary',
    CAPTIONFLEET_ADMIN_NAMES: 'http://canary',
    LOG_LEVEL: 'canary',
    CAPTIONFLEET_AZUREML: 'canary',
    CAPTIONFLEET_AZUREML_PORT: 'canary',
    CAPTIONFLEET_AZUREML_KEYS: 'canary',
    CAPTIONFLEET_AZUREML_DEPLOYMENTS: 'canary',
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

test('what an autoscaler is told is set for all pools or for each, and nothing is left to guess', () => {
  const scaling = {
    CAPTIONFLEET_SCALING_MIN_REPLICAS: 'cpu=1,gpu=0',
    CAPTIONFLEET_SCALING_MAX_REPLICAS: '4',
    CAPTIONFLEET_SCALING_COLD_START_SECONDS: '90',
    CAPTIONFLEET_SCALING_ASSUMED_IMAGES_PER_SECOND: '2.5',
  };
  const { cpu, gpu } = readConfig({ ...least, ...scaling }).scaling;
  assert.deepEqual([cpu.minReplicas, cpu.maxReplicas, gpu.minReplicas, gpu.maxReplicas], [1, 4, 0, 4]);
  assert.deepEqual([cpu.coldStartSeconds, cpu.assumedImagesPerSecond], [90, 2.5]);
  for (const wrong of [
    { CAPTIONFLEET_SCALING_MAX_REPLICAS: '0' },
    { CAPTIONFLEET_SCALING_MAX_REPLICAS: 'cpu=3' },
    { CAPTIONFLEET_SCALING_MAX_REPLICAS: 'cpu=3,tpu=1' },
    { CAPTIONFLEET_SCALING_MIN_REPLICAS: '1.5' },
    { CAPTIONFLEET_SCALING_MIN_REPLICAS: '11' },
    { CAPTIONFLEET_SCALING_SLO_SECONDS: 'interactive=0,bulk=60' },
    { CAPTIONFLEET_SCALING_ASSUMED_IMAGES_PER_SECOND: '0' },
  ]) {
    const [name = ''] = Object.keys(wrong);
    assert.throws(() => readConfig({ ...least, ...wrong }), { code: 'CONFIG_INVALID', message: new RegExp(name) });
  }
});
