import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CaptionfleetError, errorFromReport, errorTable, reportError } from './errors.ts';

test('the report of a known error carries its code and message over any border and back', () => {
  const error = new CaptionfleetError('QUEUE_FULL', 'full', { cause: new Error('inside') });
  const report = reportError(error);
  assert.deepEqual(report, { code: 'QUEUE_FULL', message: 'full', retryable: true });
  const rebuilt = errorFromReport(JSON.parse(JSON.stringify(report)));
  assert.deepEqual([rebuilt.code, rebuilt.status, rebuilt.retryable], ['QUEUE_FULL', 429, true]);
});

test('the report of an unknown error says nothing of its inside', () => {
  const report = reportError(new Error('password is hunter2 at /home/someone'));
  assert.deepEqual(report, { code: 'INTERNAL', message: 'internal error', retryable: true });
});

test('only failures that may pass are retryable: no client error but 408 and 429 is', () => {
  for (const [code, { status, retryable }] of Object.entries(errorTable)) {
    if (retryable) assert.ok(status >= 500 || status === 408 || status === 429, code);
  }
});
