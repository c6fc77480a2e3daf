// The rules of infra/prometheus by themselves: promtool's verdict, and what every alert must have.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'node:test';
import { metricTable } from '@captionfleet/telemetry/metrics';
import { parse } from 'yaml';
import { quicken, readAlerts, readRules, ruleFiles } from '../support/alert-rules.ts';
import { needPrometheus, promtool } from '../support/prometheus.ts';

const root = new URL('../../', import.meta.url);
const inRules = (name: string): string => new URL(`infra/prometheus/${name}`, root).pathname;
const alertNames = [...new Set(readAlerts().map(({ alert }) => alert))];

test('promtool finds the rules valid, and each alert silent and firing where its tests say', async () => {
  needPrometheus();
  const check = await promtool('check', 'rules', ...Object.keys(ruleFiles()).map(inRules));
  assert.equal(check.status, 0, check.output);
  const units = await promtool('test', 'rules', ...Object.keys(ruleFiles('test')).map(inRules));
  assert.equal(units.status, 0, units.output);
});

test('every alert is tested firing and silent', () => {
  type Unit = { alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[] };
  const units: Unit[] = Object.values(ruleFiles('test')).flatMap((text) => parse(text).tests);
  const seen = units.flatMap(({ alert_rule_test = [] }) => alert_rule_test);
  for (const name of alertNames) {
    const states = seen.filter(({ alertname }) => alertname === name).map(({ exp_alerts }) => exp_alerts.length > 0);
    assert.ok(states.includes(true), `no test in which ${name} fires`);
    assert.ok(states.includes(false), `no test in which ${name} is silent`);
  }
});

test('every alert has a runbook of its name, and there is no other', () => {
  for (const { alert, annotations, labels } of readAlerts()) {
    assert.match(labels['severity'] ?? '', /^(page|ticket)$/);
    assert.match(annotations.summary, /\{\{|no API/, alert);
    assert.equal(annotations.runbook_url, `docs/runbooks/${alert}.md`);
    assert.ok(existsSync(new URL(annotations.runbook_url, root)), annotations.runbook_url);
  }
  const pages = globSync('docs/runbooks/*.md', { cwd: root.pathname }).map((path) => basename(path, '.md'));
  assert.deepEqual(pages.filter((name) => name !== 'README').sort(), [...alertNames].sort());
});

test('runbooks ask for metrics that exist', () => {
  for (const path of globSync('docs/runbooks/*.md', { cwd: root.pathname })) {
    assertKnown(readFileSync(new URL(path, root), 'utf8'), path);
  }
});

/** Metrics of redis_exporter and of Prometheus itself. */
const others = new Set(['redis_evicted_keys_total', 'up']);
/** Names that were agreed on, whose process does not export them yet. */
const awaited = new Set(['captionfleet_machine_usd_per_hour', 'captionfleet_scheduled_events_total']);

function assertKnown(text: string, where: string): void {
  const records = new Set(readRules().flatMap((rule) => ('record' in rule ? [rule.record] : [])));
  for (const [name] of text.matchAll(/\bcaptionfleet[_:][a-z0-9_:]+|\bredis_[a-z_]+/g)) {
    const base = name.replace(/_(bucket|count|sum)$/, '');
    const isKnown = base in metricTable || records.has(name) || others.has(name) || awaited.has(name);
    assert.ok(isKnown, `${where} names ${name}, which is no metric`);
  }
}

test('rules are made of metrics that exist', () => {
  for (const rule of readRules()) {
    assertKnown(rule.expr.replaceAll(/"[^"]*"/g, ''), 'record' in rule ? rule.record : rule.alert);
  }
});

test('on a faster clock windows and waits shrink, and thresholds and names stay', () => {
  const rule = '  - record: x:rate1h\n    expr: sum(rate(a[1h])) > 60\n    for: 5m\n    other: 0m\n  x:\n    for: 0m\n';
  assert.equal(
    quicken(rule, 60, 4),
    '  - record: x:rate1h\n    expr: sum(rate(a[60s])) > 60\n    for: 5s\n    other: 0m\n  x:\n    for: 0s\n',
  );
  assert.equal(quicken('rate(a[1m])', 60, 4), 'rate(a[4s])');
});
