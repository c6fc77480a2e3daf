import { createHash } from 'node:crypto';
import { blobNames } from '@captionfleet/protocol/blob-names';
import { CaptionfleetError, reportError } from '@captionfleet/protocol/errors';
import { RequestIdSchema } from '@captionfleet/protocol/image-job';
import type { Scope } from '@captionfleet/protocol/scope';
import type { ScoringEnd, ScoringJob } from '@captionfleet/protocol/scoring-job';
import type { Tenant } from '@captionfleet/protocol/tenant';
import type { BlobFiles } from '@captionfleet/storage/blob-files';
import type { OpenScoring } from '@captionfleet/storage/open-scoring';
import type { ScoringStore } from '@captionfleet/storage/scoring-store';
import type { FastifyBaseLogger } from 'fastify';
import { readScoringBody } from './azureml-batch-body.ts';
import type { AzuremlBatchConfig } from './azureml-batch-config.ts';
import type { BatchPlaces } from './azureml-batch-uri.ts';
import type { Deployment } from './azureml-frontend.ts';
import { signatureColumns } from './azureml-scoring.ts';
import { BodyTooLarge, readTarget, type WireAnswer, type WireRequest, wsgiHeaders } from './azureml-wire.ts';
import type { Principal } from './principal.ts';
import { newRequestId } from './request-id.ts';
import { assertServed, type SubmissionConfig } from './submission.ts';

export interface BatchEndpointConfig {
  readonly batch: AzuremlBatchConfig;
  readonly deployments: readonly Deployment[];
  /** Whether a file of which some rows failed keeps the others. */
  readonly keepsRows: boolean;
  readonly fleet: Pick<SubmissionConfig, 'requests' | 'tasks'>;
  readonly scoring: (tenant: Tenant) => ScoringStore;
  readonly open: OpenScoring;
  readonly files: BlobFiles;
  /** Says that there is a new job. */
  readonly wake: () => void;
  readonly logger: FastifyBaseLogger;
}

/** Who calls, or the answer to somebody who may not. */
export type Authenticate = (
  authorization: string | undefined,
  scope: Scope,
) => Promise<Principal | WireAnswer> | Principal;

const limits = { bodyBytes: 1024 * 1024, listed: 50, idCharacters: 256 } as const;
/** Seconds after which a caller that polls should look again. */
const pollSeconds = 2;

/** `/jobs` and what is under it, by itself or behind the path of the endpoint in a workspace. */
const path = /^((?:\/.*\/batchEndpoints\/[^/]+)?\/jobs)(?:\/([^/]+)(?:\/(cancel|outputs\/score\/[^/]+))?)?\/*$/i;

/** Whether a request is for the batch endpoint. */
export const isForBatch = ({ target }: Pick<WireRequest, 'target'>): boolean => path.test(readTarget(target).path);

interface Call {
  readonly request: WireRequest;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
  /** As in the request, up to `/jobs`. */
  readonly root: string;
  readonly id: string | undefined;
  readonly principal: Principal;
}

/** Answers as an AzureML batch endpoint does: jobs are made, looked at, listed and cancelled. */
export async function answerAsBatch(
  request: WireRequest,
  authenticate: Authenticate,
  config: BatchEndpointConfig,
): Promise<WireAnswer> {
  const target = readTarget(request.target);
  const [, root = '', id, under] = path.exec(target.path) ?? [];
  const action = actionOf(request.method, id, under);
  try {
    if (action === undefined)
      throw new CaptionfleetError('METHOD_NOT_ALLOWED', `${request.method} has no meaning here`);
    const headers = wsgiHeaders(request.rawHeaders);
    const principal = await authenticate(headers.get('authorization'), action.scope);
    if ('status' in principal) return { ...inJson(principal), route: '/jobs' };
    const query = new Map(target.query);
    return { ...(await action.answer({ request, headers, query, root, id, principal }, config)), route: '/jobs' };
  } catch (error) {
    return { ...failure(error, config.logger), route: '/jobs' };
  }
}

interface Action {
  readonly scope: Scope;
  readonly answer: (call: Call, config: BatchEndpointConfig) => Promise<WireAnswer>;
}

function actionOf(method: string, id: string | undefined, under: string | undefined): Action | undefined {
  if (method === 'POST' && id === undefined) return { scope: 'captions:write', answer: makeJob };
  if (method === 'POST' && under?.toLowerCase() === 'cancel') return { scope: 'captions:write', answer: cancelJob };
  if (method !== 'GET') return undefined;
  if (id === undefined) return { scope: 'captions:read', answer: listJobs };
  if (under === undefined) return { scope: 'captions:read', answer: showJob };
  return under.toLowerCase() === 'cancel' ? undefined : { scope: 'captions:read', answer: sendOutput };
}

async function makeJob(call: Call, config: BatchEndpointConfig): Promise<WireAnswer> {
  const { request, principal, headers } = call;
  const { signal } = request;
  const deployment = deploymentOf(headers.get('azureml-model-deployment'), config);
  if (deployment.task !== 'auto') assertServed({ type: deployment.task }, config.fleet.tasks);
  const { account } = config.files;
  const places: BatchPlaces = { account, ...config.batch };
  const asked = readScoringBody(await readBody(request), config.batch, places);
  const key = repeatabilityKey(request.rawHeaders);
  const requests = config.fleet.requests.of(principal.tenant);
  const id = key === undefined ? newRequestId() : await requests.writeClaim(key, newRequestId(), { signal });
  const store = config.scoring(principal.tenant);
  const own = `${blobNames(principal.tenant).scoringOutput(id)}${asked.outputFileName}`;
  const job = await store.writeJob(
    {
      version: 1,
      tenant: principal.tenant,
      id,
      ...(asked.name === undefined ? {} : { name: asked.name }),
      createdAt: new Date().toISOString(),
      deployment: deployment.name,
      task: deployment.task,
      input: asked.input,
      output: asked.output ?? { container: requests.container, name: own },
      settings: asked.settings,
      keepsRows: config.keepsRows,
    },
    { signal },
  );
  const end = await store.readEnd(id, { signal });
  // Whoever wrote the job may have died before it was marked.
  if (end === undefined) await config.open.add(job, { signal });
  config.wake();
  config.logger.info({ scoringJob: id, tenant: principal.tenant, caller: principal.id }, 'scoring job accepted');
  return json(200, await describe(job, call, config));
}

async function showJob(call: Call, config: BatchEndpointConfig): Promise<WireAnswer> {
  const shown = await describe(await theJob(call, config), call, config);
  return json(200, shown, isOver(shown.properties.status) ? {} : { 'retry-after': String(pollSeconds) });
}

async function cancelJob(call: Call, config: BatchEndpointConfig): Promise<WireAnswer> {
  const job = await theJob(call, config);
  const { signal } = call.request;
  const store = config.scoring(job.tenant);
  if ((await store.readEnd(job.id, { signal })) === undefined) await store.cancel(job.id, { signal });
  config.wake();
  return json(200, await describe(job, call, config));
}

/** The oldest first. */
async function listJobs(call: Call, config: BatchEndpointConfig): Promise<WireAnswer> {
  const { principal, root, query, headers, request } = call;
  const store = config.scoring(principal.tenant);
  const { signal } = request;
  const after = query.get('$skip') ?? '';
  if (after !== '' && !RequestIdSchema.safeParse(after).success) {
    throw new CaptionfleetError('REQUEST_INVALID', '$skip: must be the one of a nextLink');
  }
  const ids = await store.listJobs({ after, limit: limits.listed, signal });
  const jobs = await Promise.all(ids.map((id) => store.readJob(id, { signal })));
  const value = await Promise.all(jobs.flatMap((job) => (job === undefined ? [] : [describe(job, call, config)])));
  if (ids.length < limits.listed) return json(200, { value });
  const scheme = headers.get('x-forwarded-proto') === 'https' ? 'https' : 'http';
  const nextLink = `${scheme}://${headers.get('host') ?? ''}${root}?%24skip=${ids.at(-1)}`;
  return json(200, { value, nextLink });
}

async function sendOutput(call: Call, config: BatchEndpointConfig): Promise<WireAnswer> {
  const { id, output } = await theJob(call, config);
  const { signal } = call.request;
  const end = await config.scoring(call.principal.tenant).readEnd(id, { signal });
  const isThere = end?.status === 'Completed';
  const content = isThere ? await config.files.read(output.container, output.name, { signal }) : undefined;
  if (content === undefined) throw new CaptionfleetError('NOT_FOUND', 'there are no predictions of this job');
  return { status: 200, headers: { 'content-type': 'text/csv; charset=utf-8' }, body: '', content };
}

/** @throws NOT_FOUND */
async function theJob({ id, principal, request }: Call, config: BatchEndpointConfig): Promise<ScoringJob> {
  const known = RequestIdSchema.safeParse(id);
  const job = known.success
    ? await config.scoring(principal.tenant).readJob(known.data, { signal: request.signal })
    : undefined;
  if (job === undefined) throw new CaptionfleetError('NOT_FOUND', `there is no job "${id}"`);
  return job;
}

type Status = 'NotStarted' | 'Running' | 'CancelRequested' | ScoringEnd['status'];

const isOver = (status: Status): boolean => ['Completed', 'Failed', 'Canceled'].includes(status);

async function statusOf(job: ScoringJob, end: ScoringEnd | undefined, store: ScoringStore, signal: AbortSignal) {
  if (end !== undefined) return end.status;
  if (await store.isCancelled(job.id, { signal })) return 'CancelRequested';
  return (await store.readChunk(job.id, 0, { signal })) === undefined ? 'NotStarted' : 'Running';
}

/** A job as clients read it. */
async function describe(job: ScoringJob, { root, request }: Call, config: BatchEndpointConfig) {
  const { signal } = request;
  const store = config.scoring(job.tenant);
  const end = await store.readEnd(job.id, { signal });
  const status: Status = await statusOf(job, end, store, signal);
  const { input, output, settings } = job;
  const uri = (place: { readonly container: string; readonly name: string }): string =>
    `${config.files.account.url}/${place.container}/${place.name.split('/').map(encodeURIComponent).join('/')}`;
  return {
    id: `${root}/${job.id}`,
    name: job.name ?? job.id,
    type: 'Microsoft.MachineLearningServices/workspaces/batchEndpoints/jobs',
    properties: {
      status,
      deployment: job.deployment,
      creationTime: job.createdAt,
      ...(end && { endTime: end.endedAt }),
      inputData: { input: { jobInputType: input.isFolder ? 'UriFolder' : 'UriFile', uri: uri(input) } },
      ...(settings.outputAction === 'append_row' && {
        outputData: { score: { jobOutputType: 'UriFile', uri: uri(output) } },
      }),
      miniBatchSize: settings.miniBatchSize,
      errorThreshold: settings.errorThreshold,
      retrySettings: { maxRetries: settings.maxRetries, timeout: `PT${settings.timeoutSeconds}S` },
      outputAction: settings.outputAction === 'append_row' ? 'AppendRow' : 'SummaryOnly',
      ...(end && { counts: end.counts, failures: end.failures }),
      ...(end?.error && { error: end.error }),
    },
  };
}

/** The one that is named, or the one that most requests of an online endpoint would go to. @throws NOT_FOUND */
function deploymentOf(named: string | undefined, { deployments, fleet }: BatchEndpointConfig): Deployment {
  const heaviest = deployments.toSorted((one, other) => other.weight - one.weight)[0];
  const deployment = named === undefined ? heaviest : deployments.find(({ name }) => name === named);
  if (deployment === undefined) {
    throw new CaptionfleetError('NOT_FOUND', `the endpoint has no deployment "${named}"`);
  }
  if (signatureColumns(deployment.task, fleet.tasks).length === 1) assertServed({ type: 'caption' }, fleet.tasks);
  return deployment;
}

/** azure-ai-ml writes the name with an underscore, which WSGI servers drop. */
function repeatabilityKey(rawHeaders: readonly string[]): string | undefined {
  const position = rawHeaders.findIndex(
    (name, index) => index % 2 === 0 && /^repeatability[_-]request-id$/i.test(name),
  );
  const value = position < 0 ? undefined : rawHeaders[position + 1];
  if (value === undefined || value === '') return undefined;
  if (value.length > limits.idCharacters) {
    const message = `repeatability_request-id: must have at most ${limits.idCharacters} characters`;
    throw new CaptionfleetError('REQUEST_INVALID', message);
  }
  return createHash('sha256').update(`azureml scoring job\n${value}`).digest('hex');
}

async function readBody(request: WireRequest): Promise<unknown> {
  const tooLarge = new CaptionfleetError('REQUEST_TOO_LARGE', `a job has at most ${limits.bodyBytes} bytes`);
  const bytes = await request.body().catch((error: unknown) => {
    throw error instanceof BodyTooLarge ? tooLarge : error;
  });
  if (bytes.byteLength > limits.bodyBytes) throw tooLarge;
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new CaptionfleetError('REQUEST_INVALID', 'the body is not JSON');
  }
}

/** In ASCII, since the bodies of answers are Latin-1. */
const json = (status: number, value: object, headers: Readonly<Record<string, string>> = {}): WireAnswer => ({
  status,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  body: JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  ),
});

/** In the form of Azure's errors, whose message clients show. */
function failure(error: unknown, logger: FastifyBaseLogger): WireAnswer {
  const { code, message } = reportError(error);
  if (code === 'INTERNAL') logger.error({ err: error }, 'a call of the batch endpoint failed');
  const { status, retryAfterSeconds } =
    error instanceof CaptionfleetError ? error : new CaptionfleetError(code, message);
  const wait = retryAfterSeconds === undefined ? undefined : { 'retry-after': String(retryAfterSeconds) };
  return json(status, { error: { code, message } }, wait);
}

const inJson = ({ status, headers, body }: WireAnswer): WireAnswer => {
  const { 'content-type': _, ...others } = headers;
  return json(status, { error: { code: status === 401 ? 'UNAUTHENTICATED' : 'REFUSED', message: body } }, others);
};
