import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeParity, type ProbeAnswer } from './parity-gate.ts';

const answer = (tokens: number[], meanLogProbability = -0.2, probability = 0.9): ProbeAnswer => ({
  captions: [{ tokens, meanLogProbability }],
  matches: [{ probability, similarity: 0.4 }],
});
const exact = [answer([1, 2, 3, 4]), answer([1, 5, 6, 7])];

test('the same answers are accepted', () => {
  const report = judgeParity(exact, exact);
  assert.deepEqual(
    [report.accepted, report.equalCaptions, report.tokenAgreement, report.matchDifference],
    [true, 1, 1, 0],
  );
});

test('a caption of other tokens, or longer, lowers the agreement, and the report names the figure', () => {
  const report = judgeParity(exact, [answer([1, 2, 3, 4]), answer([1, 5, 9, 7, 8])]);
  assert.equal(report.tokenAgreement, (1 + 3 / 5) / 2);
  assert.equal(report.equalCaptions, 0.5);
  assert.ok(!report.accepted && report.reason?.startsWith('tokenAgreement is 0.8000'), report.reason);
});

test('equal tokens with other probabilities are refused', () => {
  assert.match(
    judgeParity(exact, [answer([1, 2, 3, 4], -0.4), answer([1, 5, 6, 7])]).reason ?? '',
    /^logProb.*0\.1000/,
  );
  assert.match(
    judgeParity(exact, [answer([1, 2, 3, 4], -0.2, 0.8), answer([1, 5, 6, 7])]).reason ?? '',
    /^match.*0\.0500/,
  );
});

test('numbers that are none are refused', () => {
  assert.ok(!judgeParity(exact, [answer([1, 2, 3, 4], Number.NaN), answer([1, 5, 6, 7])]).accepted);
});
