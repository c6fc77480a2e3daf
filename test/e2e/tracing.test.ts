// Traces of a real fleet, as a collector gets them.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptionRequestStatusSchema } from '@captionfleet/protocol/image-outcome';
import { goldenDirectory, startFleet, type TestFleet } from '../support/fleet.ts';
import { postCaptions, waitFor, waitForCaptions } from '../support/http.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { redisCommand } from '../support/redis-command.ts';

const picture = await readFile(join(goldenDirectory, 'images', '01-landscape.jpg'));
const inline = { base64: picture.toString('base64') };
const recorder = new URL('../support/record-imports.ts', import.meta.url);

/** A caller's span, from which a trace goes on. */
function newCaller() {
  const [traceId, spanId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-01` };
}

interface Host extends AsyncDisposable {
  readonly host: string;
}
async function startHost(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Host> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const traced = ({ url }: Pick<OtlpReceiver, 'url'>) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: '50',
});

const spansOf = ({ spans }: OtlpReceiver, { traceId }: { traceId: string }): ReceivedSpan[] =>
  spans.filter((span) => span.traceId === traceId);

/** Waits until a trace has a number of spans of some names. */
async function waitForSpans(collector: OtlpReceiver, caller: { traceId: string }, expected: Record<string, number>) {
  const count = (name: string) => spansOf(collector, caller).filter((span) => span.name === name).length;
  const have = () => Object.entries(expected).every(([name, number]) => count(name) >= number);
  const missing = () => JSON.stringify(Object.keys(expected).map((name) => [name, count(name)]));
  await waitFor('the spans', 20_000, async () => have()).catch((error: Error) => {
    throw new Error(`${error.message}; there are ${missing()}`);
  });
  return spansOf(collector, caller);
}

/** Every span but those of the caller's own child hangs under another of the trace. */
function assertConnected(spans: readonly ReceivedSpan[], caller: { spanId: string }): void {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  assert.equal(ids.size, spans.length, 'a span came twice');
  const tops = spans.filter(({ parentSpanId }) => !ids.has(parentSpanId));
  assert.deepEqual(
    tops.map(({ name, parentSpanId }) => [name, parentSpanId]),
    [['POST /v1/captions', caller.spanId]],
  );
}

const named = (spans: readonly ReceivedSpan[], name: string): ReceivedSpan => {
  const [span, ...others] = spans.filter((candidate) => candidate.name === name);
  assert.ok(span !== undefined && others.length === 0, `${others.length + Number(span !== undefined)} spans ${name}`);
  return span;
};

const linesOf = async ({ scratch }: TestFleet, app: string): Promise<Record<string, unknown>[]> =>
  (await readFile(join(scratch, 'logs', `${app}.log`), 'utf8'))
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

test('one request is one trace, from the caller’s span to the blob and the webhook', async (t) => {
  await using collector = await startOtlpReceiver();
  await using images = await startHost((_, response) => response.end(picture));
  await using receiver = await startHost((request, response) => request.resume().once('end', () => response.end()));
  await using fleet = await startFleet({
    workers: 1,
    env: {
      ...traced(collector),
      CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host,
      CAPTIONFLEET_WEBHOOK_PRIVATE_HOSTS: receiver.host,
    },
  });
  const caller = newCaller();
  const { status, headers, body } = await postCaptions(
    fleet.api.url,
    {
      images: [{ url: `http://${images.host}/a.jpg?sig=topsecret` }, inline],
      webhook: { url: `http://${receiver.host}/hook/topsecret?code=topsecret`, events: ['request.succeeded'] },
    },
    { traceparent: caller.traceparent, prefer: 'wait=60', 'x-request-id': 'my-request' },
  );
  assert.equal(status, 200, JSON.stringify(body));
  const { id } = CaptionRequestStatusSchema.parse(body);
  const queue = 'interactive-cpu';
  const expected = {
    'POST /v1/captions': 1,
    admit: 1,
    'store request': 1,
    [`send ${queue}`]: 1,
    'wait in queue': 2,
    [`process ${queue}`]: 2,
    fetch: 2,
    preprocess: 2,
    'wait for batch': 2,
    inference: 2,
    'write outcome': 2,
    'deliver webhook': 1,
  };
  const spans = await waitForSpans(collector, caller, expected);

  await t.test('it has these spans and no other, and none is loose', () => {
    const counts: Record<string, number> = {};
    for (const { name } of spans) counts[name] = (counts[name] ?? 0) + 1;
    assert.deepEqual(counts, expected);
    assertConnected(spans, caller);
  });
  await t.test('each is under what it is part of, and within it', () => {
    const server = named(spans, 'POST /v1/captions');
    const send = named(spans, `send ${queue}`);
    for (const name of ['admit', 'store request', `send ${queue}`, 'deliver webhook']) {
      assert.equal(named(spans, name).parentSpanId, server.spanId, name);
    }
    const deliveries = spans.filter(({ name }) => name === `process ${queue}`);
    for (const { parentSpanId } of deliveries) assert.equal(parentSpanId, send.spanId);
    for (const name of ['fetch', 'preprocess', 'wait for batch', 'inference', 'write outcome']) {
      for (const span of spans.filter((candidate) => candidate.name === name)) {
        const delivery = deliveries.find(({ spanId }) => spanId === span.parentSpanId);
        assert.ok(delivery !== undefined, name);
        assert.ok(span.startedAt >= delivery.startedAt && span.endedAt <= delivery.endedAt, name);
      }
    }
    assert.deepEqual(deliveries.map(({ attributes }) => attributes['messaging.message.id']).sort(), [
      `${id}-0`,
      `${id}-1`,
    ]);
    assert.ok(deliveries.every(({ attributes }) => attributes['captionfleet.outcome'] === 'succeeded'));
    assert.equal(server.attributes['http.route'], '/v1/captions');
    assert.equal(server.attributes['http.response.status_code'], 200);
    assert.deepEqual(
      new Set(spans.map(({ service }) => service)),
      new Set(['captionfleet-api', 'captionfleet-worker']),
    );
  });
  await t.test('a run of the model serves several and is linked both ways', () => {
    const runs = collector.spans.filter(({ name }) => name === 'run batch');
    const deliveries = spans.filter(({ name }) => name === `process ${queue}`).map(({ spanId }) => spanId);
    assert.deepEqual(runs.flatMap(({ links }) => links.map(({ spanId }) => spanId)).sort(), deliveries.sort());
    for (const { links } of spans.filter(({ name }) => name === 'inference')) {
      assert.equal(links.length, 1);
      assert.ok(runs.some(({ spanId }) => spanId === links[0]?.spanId));
    }
  });
  await t.test('nothing secret is in it', () => assert.doesNotMatch(JSON.stringify(collector.spans), /topsecret/));
  await t.test('the answer and the log lines lead to it', async () => {
    const server = named(spans, 'POST /v1/captions');
    assert.equal(headers.get('traceresponse'), `00-${caller.traceId}-${server.spanId}-01`);
    const api = (await linesOf(fleet, 'api')).filter(({ trace_id }) => trace_id === caller.traceId);
    for (const message of ['incoming request', 'accepted', 'request completed']) {
      const line = api.find(({ msg }) => msg === message);
      assert.equal(line?.['span_id'], server.spanId, message);
      assert.equal(line?.['reqId'], 'my-request', message);
    }
  });
  await t.test('a bucket leads to it', async () => {
    const accept = 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5';
    const metrics = await fetch(`${fleet.workers[0]?.url}/metrics`, { headers: { accept } });
    assert.match(metrics.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1.0.0/);
    const text = await metrics.text();
    const exemplar = `# \\{trace_id="${caller.traceId}",span_id="[\\da-f]{16}"\\} [\\d.]+ [\\d.]+$`;
    assert.match(text, new RegExp(`^captionfleet_stage_seconds_bucket\\{.*stage="inference"\\} \\d+ ${exemplar}`, 'm'));
    const plain = await (await fetch(`${fleet.workers[0]?.url}/metrics`)).text();
    assert.doesNotMatch(plain, /trace_id/);
    assert.match(plain, /^captionfleet_jobs_total\{/m);
    const api = await (await fetch(`${fleet.api.adminUrl}/metrics`, { headers: { accept } })).text();
    assert.match(api, new RegExp(`^captionfleet_http_request_seconds_bucket\\{.*\\} \\d+ ${exemplar}`, 'm'));
  });
});

test('a retry, and a delivery after a worker was killed, are spans of the same trace', async (t) => {
  await using collector = await startOtlpReceiver();
  const asked: Record<string, number> = {};
  await using images = await startHost((request, response) => {
    const path = request.url ?? '';
    asked[path] = (asked[path] ?? 0) + 1;
    if (asked[path] > 1) response.end(picture);
    else if (path === '/busy.jpg') response.writeHead(503).end();
    // The first one to ask for the other waits, until it is killed.
  });
  await using fleet = await startFleet({
    workers: 2,
    env: { ...traced(collector), CAPTIONFLEET_ALLOW_PRIVATE_HOSTS: images.host },
  });
  const queue = 'process interactive-cpu';
  const post = async (path: string) => {
    const caller = newCaller();
    const { traceparent } = caller;
    const answer = await postCaptions(
      fleet.api.url,
      { images: [{ url: `http://${images.host}${path}` }] },
      { traceparent },
    );
    return { caller, id: CaptionRequestStatusSchema.parse(answer.body).id };
  };

  await t.test('the retry', async () => {
    const { caller, id } = await post('/busy.jpg');
    const status = await waitForCaptions(fleet.api.url, id, 30_000);
    assert.equal(status.status, 'succeeded');
    const spans = await waitForSpans(collector, caller, { [queue]: 2 });
    assertConnected(spans, caller);
    const deliveries = spans.filter(({ name }) => name === queue).sort((one, other) => one.startedAt - other.startedAt);
    assert.deepEqual(
      deliveries.map(({ failed, attributes }) => [
        failed,
        attributes['captionfleet.attempt'],
        attributes['captionfleet.outcome'],
        attributes['error.type'],
      ]),
      [
        [true, 1, 'retried', 'SOURCE_UNAVAILABLE'],
        [false, 2, 'succeeded', undefined],
      ],
    );
    const warned = (await linesOf(fleet, 'worker')).find(
      ({ trace_id, level }) => trace_id === caller.traceId && level === 'warn',
    );
    assert.equal(warned?.['jobId'], `${id}-0`);
    assert.equal(warned?.['span_id'], deliveries[0]?.spanId);
  });

  await t.test('the killed worker’s', async () => {
    const { caller, id } = await post('/slow.jpg');
    await waitFor('a worker to fetch the image', 10_000, async () => asked['/slow.jpg'] === 1);
    for (const { url, pid } of fleet.workers) {
      const text = await (await fetch(`${url}/metrics`)).text();
      if (/^captionfleet_images_in_flight 1$/m.test(text)) process.kill(pid, 'SIGKILL');
    }
    const status = await waitForCaptions(fleet.api.url, id, 60_000);
    assert.equal(status.status, 'succeeded');
    const spans = await waitForSpans(collector, caller, { [queue]: 1, 'write outcome': 1 });
    assertConnected(spans, caller);
    const { attributes } = named(spans, queue);
    assert.deepEqual(
      ['attempt', 'delivery', 'suspect', 'outcome'].map((name) => attributes[`captionfleet.${name}`]),
      [1, 2, true, 'succeeded'],
    );
  });
});

test('captions go on while the collector is away', async () => {
  await using gone = await startHost(() => undefined);
  await using fleet = await startFleet({
    workers: 1,
    // Asks that are never answered.
    env: {
      ...traced({ url: `http://${gone.host}` }),
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_BSP_MAX_QUEUE_SIZE: '16',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '8',
    },
  });
  const { status, body } = await postCaptions(fleet.api.url, { images: Array(32).fill(inline) }, { prefer: 'wait=60' });
  assert.equal(status, 200);
  assert.equal(CaptionRequestStatusSchema.parse(body).counts.succeeded, 32);
  await waitFor('both to say that spans are lost', 20_000, async () => {
    const lines = await Promise.all([linesOf(fleet, 'api'), linesOf(fleet, 'worker')]);
    return lines.every((of) => of.some(({ msg }) => /spans could not be exported/.test(String(msg))));
  });
});

test('without a collector nothing of OpenTelemetry is loaded, sent or kept; with one it is loaded', async () => {
  await using collector = await startOtlpReceiver();
  const run = async (env: Record<string, string>) => {
    const record = join(process.env['TMPDIR'] ?? '/tmp', `captionfleet-imports-${randomBytes(4).toString('hex')}`);
    const recording = { RECORD_IMPORTS: record, NODE_OPTIONS: `--import=${recorder.href}` };
    await using fleet = await startFleet({ workers: 1, env: { ...env, ...recording } });
    const caller = newCaller();
    const { headers, body } = await postCaptions(
      fleet.api.url,
      { images: [inline] },
      { traceparent: caller.traceparent, prefer: 'wait=60' },
    );
    const { id } = CaptionRequestStatusSchema.parse(body);
    const job = await redisCommand(fleet.redisUrl, 'HGETALL', `{captionfleet}:interactive-cpu:${id}-0`);
    assert.match(job, /"version":1/);
    const lines = [...(await linesOf(fleet, 'api')), ...(await linesOf(fleet, 'worker'))];
    return {
      loads: await readFile(record, 'utf8').catch(() => ''),
      answers: headers.has('traceresponse'),
      carries: job.includes('traceparent'),
      logs: lines.some((line) => 'trace_id' in line),
    };
  };
  assert.deepEqual(await run({}), { loads: '', answers: false, carries: false, logs: false });
  const on = await run(traced(collector));
  assert.match(on.loads, /sdk-trace/);
  assert.deepEqual({ ...on, loads: '' }, { loads: '', answers: true, carries: true, logs: true });
});
