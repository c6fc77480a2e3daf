// What we sign, verified by the reference library of Standard Webhooks for Python.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { WebhookEndpoint } from '@captionfleet/protocol/webhook';
import { newSecret, signedHeaders, withNewSecret } from '../../apps/api/src/webhook-signature.ts';
import { pythonEnvironment, runPython } from '../support/python-environment.ts';

const here = (file: string): string => new URL(file, import.meta.url).pathname;
let python: string;
before(async () => {
  python = await pythonEnvironment('webhooks', here('webhooks-requirements.txt'));
});

interface Call {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
type Answer = { readonly payload: unknown; readonly signature: string } | { readonly error: string };

const verify = async (calls: readonly Call[]): Promise<readonly Answer[]> =>
  JSON.parse(await runPython(python, [here('webhooks_verify.py')], { input: JSON.stringify(calls) }));

const endpoint = (secret: string): WebhookEndpoint => ({
  version: 1,
  id: 'default',
  createdAt: new Date().toISOString(),
  secrets: [{ secret }],
});

test('signatures of ours are verified, also after a rotation, and are those that the library makes', async () => {
  const [first, second] = [newSecret(), newSecret()];
  const rotated = withNewSecret(endpoint(first), second);
  const now = Math.floor(Date.now() / 1_000);
  const payload = { type: 'request.succeeded', data: { captions: ['ein Käfer 🪲 "auf" Gras'] } };
  const signed = { id: 'msg_01arz3ndektsv4rrffq69g5fav', timestamp: now, body: JSON.stringify(payload) };
  const headers = signedHeaders(signed, rotated);
  const answers = await verify([first, second].map((secret) => ({ secret, headers, body: signed.body })));
  const signatures = headers['webhook-signature']?.split(' ');
  assert.deepEqual(answers, [
    { payload, signature: signatures?.[1] },
    { payload, signature: signatures?.[0] },
  ]);
});

test('another body, another secret, an old call and a secret that has expired are not', async () => {
  const secret = newSecret();
  const now = Math.floor(Date.now() / 1_000);
  const signed = { id: 'msg_01arz3ndektsv4rrffq69g5fav', timestamp: now, body: '{"a":1}' };
  const headers = signedHeaders(signed, endpoint(secret));
  const old = signedHeaders({ ...signed, timestamp: now - 3_600 }, endpoint(secret));
  const twoDaysAgo = Date.now() - 2 * 24 * 3_600_000;
  const expired = signedHeaders(signed, withNewSecret(endpoint(secret), newSecret(), twoDaysAgo));
  const answers = await verify([
    { secret, headers, body: '{"a":2}' },
    { secret: newSecret(), headers, body: signed.body },
    { secret, headers: old, body: signed.body },
    { secret, headers: expired, body: signed.body },
  ]);
  for (const answer of answers) assert.ok('error' in answer, JSON.stringify(answer));
});
