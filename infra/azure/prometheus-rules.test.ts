import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoDuration, readRuleGroups } from './prometheus-rules.ts';

test('every rule of infra/prometheus is in Azure’s form', () => {
  const groups = readRuleGroups();
  assert.ok(groups.length >= 4, `${groups.length} groups`);
  const alerts = groups.flatMap(({ rules }) => rules).filter((rule) => 'alert' in rule);
  assert.ok(alerts.length >= 10, `${alerts.length} alerts`);
  for (const alert of alerts) {
    assert.ok([1, 3].includes(alert.severity), alert.alert);
    assert.match(alert.annotations?.['runbook_url'] ?? '', /^docs[/]runbooks[/]|^https:/, alert.alert);
  }
});

test('durations', () => {
  assert.deepEqual(['30s', '5m', '2h', '3d'].map(isoDuration), ['PT30S', 'PT5M', 'PT2H', 'P3D']);
  assert.throws(() => isoDuration('soon'), /not a duration/);
});
