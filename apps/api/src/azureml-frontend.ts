import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { Scope } from '@captionfleet/protocol/scope';
import { type Access, letIn } from './access.ts';
import type { DeploymentTask } from './azureml-scoring.ts';
import { type WireAnswer, type WireRequest, wsgiHeaders } from './azureml-wire.ts';
import { anyone, type Principal } from './principal.ts';

/** A name that requests are routed to. The fleet does the work of all of them. */
export interface Deployment {
  readonly name: string;
  readonly task: DeploymentTask;
  /** Percent of the requests that name no deployment. */
  readonly weight: number;
}

export interface FrontendConfig {
  /** Any of them opens the endpoint. */
  readonly keys: readonly string[];
  /** The fleet's own keys and tokens, which open it too, for their tenants; undefined where it has none. */
  readonly access?: Access | undefined;
  /** Milliseconds from the last byte of a request to its answer. */
  readonly requestTimeoutMs: number;
  readonly deployments: readonly Deployment[];
  /** Percent of the requests that a deployment gets a copy of; what it answers is thrown away. */
  readonly mirror: { readonly name: string; readonly percent: number } | undefined;
  /** A number in [0, 1), for the routing. */
  readonly random: () => number;
}

/** Answers as the container of a deployment; undefined where too many requests are in flight. */
export type AskContainer = (
  request: WireRequest,
  scope: { readonly principal: Principal; readonly task: DeploymentTask },
) => Promise<WireAnswer> | undefined;

const plain = { 'content-type': 'text/plain' } as const;

/**
 * Answers as a managed online endpoint does: a key, a deployment by name or by weight, a bound on the requests in flight, a
 * time limit, and 424 for whatever the container answers that is not 200.
 */
export async function answerAsFrontend(
  request: WireRequest,
  config: FrontendConfig,
  askContainer: AskContainer,
): Promise<WireAnswer> {
  const headers = wsgiHeaders(request.rawHeaders);
  const principal = await authenticateByKey(headers.get('authorization'), 'captions:write', config);
  if ('status' in principal) return principal;
  const deployment = route(headers.get('azureml-model-deployment'), config);
  if (deployment === undefined) {
    return { status: 404, headers: plain, body: 'The endpoint has no such deployment, or none with positive weight.' };
  }
  const whole: WireRequest = { ...request, body: once(request.body) };
  const started = performance.now();
  const answered = withinTimeout(whole, config.requestTimeoutMs, (within) =>
    askContainer(within, { principal, task: deployment.task }),
  );
  mirror(whole, principal, deployment, config, askContainer);
  const answer = await answered;
  if (answer === 'overloaded') {
    const overloaded = { ...plain, 'ms-azureml-model-error-reason': 'too_many_pending_request' };
    return { status: 429, headers: overloaded, body: '' };
  }
  if (answer === 'timeout') return { status: 408, headers: plain, body: 'upstream request timeout' };
  const told = {
    ...answer.headers,
    'azureml-model-session': deployment.name,
    'ms-azureml-model-time': String(Math.round(performance.now() - started)),
  };
  if (answer.status === 200) return { ...answer, headers: told };
  const { reason: _, ...failed } = answer;
  return {
    ...failed,
    status: 424,
    headers: {
      ...told,
      'ms-azureml-model-error-reason': 'model_error',
      'ms-azureml-model-error-statuscode': String(answer.status),
    },
  };
}

/**
 * Who has a key, or why nobody: in the words of the managed endpoint. Every key of the front end is compared, each in constant
 * time; then the fleet is asked.
 */
export async function authenticateByKey(
  authorization: string | undefined,
  scope: Scope,
  { keys, access }: Pick<FrontendConfig, 'keys' | 'access'>,
): Promise<Principal | WireAnswer> {
  if (authorization === undefined) return denied('key_auth_bad_header_missing');
  const [, given] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
  if (given === undefined) return denied('key_auth_bad_header_forbidden');
  const equal = keys.map((key) => timingSafeEqual(sha256(given), sha256(key)));
  const index = equal.indexOf(true);
  if (index >= 0) return { ...anyone, id: `azureml-key-${index + 1}` };
  if (access === undefined) return denied('key_auth_access_denied');
  try {
    return (await letIn(access, given, scope)).principal;
  } catch (error) {
    if (!(error instanceof CaptionfleetError)) throw error;
    if (error.code === 'UNAUTHENTICATED') return denied('key_auth_access_denied');
    const { status, code, message, retryAfterSeconds } = error;
    const wait = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
    return { status, headers: { ...plain, ...wait }, body: `${code}: ${message}` };
  }
}

const denied = (body: string): WireAnswer => ({ status: 401, headers: plain, body });

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

function route(named: string | undefined, { deployments, random }: FrontendConfig): Deployment | undefined {
  if (named !== undefined) return deployments.find(({ name }) => name === named);
  const total = deployments.reduce((sum, { weight }) => sum + weight, 0);
  let point = random() * total;
  return deployments.find(({ weight }) => {
    point -= weight;
    return weight > 0 && point < 0;
  });
}

async function withinTimeout(
  request: WireRequest,
  milliseconds: number,
  ask: (request: WireRequest) => Promise<WireAnswer> | undefined,
): Promise<WireAnswer | 'timeout' | 'overloaded'> {
  const timeout = new AbortController();
  const answer = ask({ ...request, signal: AbortSignal.any([request.signal, timeout.signal]) });
  if (answer === undefined) return 'overloaded';
  // A body that cannot be read is the container's to answer.
  const late = request
    .body()
    .then(() => delay(milliseconds, 'timeout' as const, { signal: timeout.signal }))
    .catch(() => answer);
  try {
    return await Promise.race([answer, late]);
  } finally {
    timeout.abort(new Error('the request timed out'));
  }
}

function mirror(
  request: WireRequest,
  principal: Principal,
  answering: Deployment,
  { mirror: to, deployments, random, requestTimeoutMs }: FrontendConfig,
  askContainer: AskContainer,
): void {
  const deployment = deployments.find(({ name }) => name === to?.name && name !== answering.name);
  if (deployment === undefined || to === undefined || random() * 100 >= to.percent) return;
  const copy = { ...request, signal: AbortSignal.timeout(requestTimeoutMs) };
  // Nobody waits for it, whatever it says.
  askContainer(copy, { principal, task: deployment.task })?.catch(() => undefined);
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= read();
    return result;
  };
}
