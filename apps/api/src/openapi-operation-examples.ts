const id = '01kb2v8j4mzq0c6y3h5x9wtd7e';
const createdAt = '2026-11-25T12:00:00.000Z';
const url = 'https://example.org/two-cats.jpg';

const item = { custom_id: 'living-room', image: { url } };
const bulkAsked: Readonly<Record<string, object>> = {
  createBulkCaptions: { options: { num_beams: 3 } },
  createBulkMatches: { texts: ['two cats'] },
  createBulkEmbeddings: {},
  createBulkAnswers: { questions: ['how many cats are there?'] },
};
const bulkAccepted = {
  id,
  counts: { accepted: 1, duplicate: 0, refused: 0 },
  items: [{ index: 0, custom_id: 'living-room', status: 'accepted' }],
};
const acceptedLines = [...bulkAccepted.items, { id, status: 'complete', counts: bulkAccepted.counts }]
  .map((line) => `${JSON.stringify(line)}\n`)
  .join('');
const bulkStatus = {
  id,
  task: 'caption',
  status: 'running',
  isComplete: true,
  createdAt,
  counts: { pending: 39786, succeeded: 60210, failed: 4, cancelled: 0 },
};

const events = [
  'event: image.succeeded\nid: AQ\ndata: {"index":0,"status":"succeeded","captions":[{"text":"two cats"}]}\n',
  'event: request.finished\nid: AQ.\ndata: {"status":"succeeded"}\n',
].join('\n');

const webhook = { url: 'https://hooks.example.org/captions', events: ['request.succeeded'], format: 'standard' };
const endpoint = { id: 'we_01kb2v8j4mzq0c6y3h5x9wtd7e', createdAt, ...webhook };
const secret = 'whsec_Zm9yIHRoZSBkb2N1bWVudCBvbmx5IQ==';
const message = {
  id: 'msg_01kb2v8j4mzq0c6y3h5x9wtd7e',
  requestId: id,
  event: 'request.succeeded',
  createdAt,
  attempts: [{ at: createdAt, outcome: 'succeeded', status: 204, milliseconds: 38 }],
  delivering: false,
};

const file = {
  id: `file-${id}`,
  object: 'file',
  bytes: 1024,
  created_at: 1795608000,
  filename: 'images.jsonl',
  purpose: 'batch',
  status: 'processed',
};
const batch = {
  id: `batch_${id}`,
  object: 'batch',
  endpoint: '/v1/captions',
  errors: null,
  input_file_id: file.id,
  completion_window: '24h',
  status: 'in_progress',
  output_file_id: null,
  error_file_id: null,
  created_at: 1795608000,
  in_progress_at: 1795608002,
  expires_at: 1795694400,
  finalizing_at: null,
  completed_at: null,
  failed_at: null,
  expired_at: null,
  cancelling_at: null,
  cancelled_at: null,
  request_counts: { total: 50000, completed: 12034, failed: 2 },
  metadata: { album: 'summer' },
};
const pageOf = (item: { readonly id: string }) => ({
  object: 'list',
  data: [item],
  first_id: item.id,
  last_id: item.id,
  has_more: false,
});

const model = {
  id: 'Salesforce/blip-image-captioning-base',
  object: 'model',
  created: 1795608000,
  owned_by: 'Salesforce',
  revision: '89b09ea',
  variant: 'fp32',
  tasks: ['caption'],
  lanes: ['interactive', 'bulk'],
  licence: 'bsd-3-clause',
  workers: 2,
  imagesPerSecond: 11.4,
};

/**
 * Examples of the bodies and answers of operations whose schema has no name: by the operation, and `body`, `lines` for a body of
 * JSON lines, or the status.
 */
export const operationExamples: Readonly<Record<string, unknown>> = {
  'listRoutes 200': { name: 'captionfleet', captions: '/v1/captions', openapi: '/openapi.json', docs: '/docs' },
  'isAlive 200': { status: 'alive' },
  'isReady 200': { status: 'ready', checks: { redis: { ok: true, milliseconds: 1 } } },
  'isReady 503': {
    status: 'unready',
    checks: { redis: { ok: false, milliseconds: 2000, code: 'QUEUE_UNAVAILABLE' } },
  },
  'getOpenApi 200': { openapi: '3.1.1', info: { title: 'Captionfleet', version: '1' }, paths: {} },
  'analyzeImage body': { url },
  ...Object.fromEntries(['Captions', 'Matches', 'Embeddings', 'Answers'].map((what) => [`stream${what} 200`, events])),
  ...Object.fromEntries(
    Object.entries(bulkAsked).flatMap(([operation, asked]) => [
      [`${operation} body`, { ...asked, items: [item] }],
      [`${operation} lines`, [asked, item].map((line) => `${JSON.stringify(line)}\n`).join('')],
      [`${operation} 202`, bulkAccepted],
      [`${operation} 202 lines`, acceptedLines],
    ]),
  ),
  'getBulk 200': bulkStatus,
  'cancelBulk 200': { ...bulkStatus, status: 'cancelled' },
  'getBulkResults 200 lines': '{"custom_id":"living-room","status":"succeeded","captions":[{"text":"two cats"}]}\n',
  'createWebhook body': webhook,
  'createWebhook 201': { ...endpoint, secret },
  'listWebhooks 200': { data: [endpoint] },
  'getWebhook 200': endpoint,
  'rotateWebhookSecret 200': { secret },
  'enableWebhook 200': endpoint,
  'listWebhookMessages 200': { data: [message] },
  'replayWebhook body': { message: message.id },
  'replayWebhook 202': { replayed: 1 },
  'createFile body': {
    file: '{"custom_id": "1", "method": "POST", "url": "/v1/captions", "body": {}}',
    purpose: 'batch',
  },
  'createFile 200': file,
  'listFiles 200': pageOf(file),
  'getFile 200': file,
  'deleteFile 200': { id: file.id, object: 'file', deleted: true },
  'createBatch body': { input_file_id: file.id, endpoint: '/v1/captions', completion_window: '24h' },
  'createBatch 200': { ...batch, status: 'validating', in_progress_at: null },
  'listBatches 200': pageOf(batch),
  'getBatch 200': batch,
  'cancelBatch 200': { ...batch, status: 'cancelling', cancelling_at: 1795608600 },
  'listModels 200': { object: 'list', data: [model] },
  'getInfo 200': {
    name: 'captionfleet',
    tasks: ['caption'],
    lanes: ['interactive', 'bulk'],
    limits: {
      images: { bytes: 20971520, perRequest: 64 },
      texts: { characters: 512 },
      maxWaiting: 10000,
      waitSeconds: 60,
    },
    models: [model],
    workers: [],
  },
};
