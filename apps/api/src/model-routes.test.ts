import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerPresence } from '@captionfleet/protocol/worker-presence';
import { modelsOf } from './model-routes.ts';

const worker = (changes: Partial<WorkerPresence>): WorkerPresence => ({
  id: 'one',
  model: { id: 'Salesforce/blip-image-captioning-base', revision: '89b09ea', variant: 'fp32' },
  card: {
    licence: 'bsd-3-clause',
    notice: 'assess it',
    minimumMachine: { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 },
  },
  tasks: ['caption'],
  lanes: ['interactive'],
  pool: 'cpu',
  machine: { platform: 'linux', architecture: 'x64', processor: 'test', cores: 2 },
  processes: 2,
  readySince: '2026-11-25T00:00:10.000Z',
  ...changes,
});

test('workers of one model, revision and variant are one entry, with their rates together and what its card says', () => {
  const models = modelsOf([
    worker({ imagesPerSecond: 1.25 }),
    worker({ id: 'two', lanes: ['interactive', 'bulk'], imagesPerSecond: 2, readySince: '2026-11-25T00:00:05.000Z' }),
    worker({ id: 'idle' }),
    worker({ id: 'other', model: { id: 'demo', revision: '1', variant: 'int8' }, tasks: ['match', 'answer'] }),
  ]);
  assert.deepEqual(models, [
    {
      id: 'Salesforce/blip-image-captioning-base',
      object: 'model',
      created: Date.parse('2026-11-25T00:00:05.000Z') / 1_000,
      owned_by: 'Salesforce',
      revision: '89b09ea',
      variant: 'fp32',
      tasks: ['caption'],
      lanes: ['interactive', 'bulk'],
      licence: 'bsd-3-clause',
      notice: 'assess it',
      minimumMachine: { vcpus: 2, gpus: 0, memoryGiB: 7, diskGiB: 14 },
      workers: 3,
      imagesPerSecond: 3.25,
    },
    {
      ...models[1],
      id: 'demo',
      owned_by: 'captionfleet',
      variant: 'int8',
      tasks: ['match', 'answer'],
      workers: 1,
    },
  ]);
  assert.deepEqual(modelsOf([]), []);
});
