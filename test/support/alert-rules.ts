import { globSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';

const directory = new URL('../../infra/prometheus/', import.meta.url);

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: { readonly summary: string; readonly runbook_url: string };
}
export type Rule = AlertRule | { readonly record: string; readonly expr: string };

/** The texts of infra/prometheus by file name. */
export const ruleFiles = (ending: 'rules' | 'test' = 'rules'): Readonly<Record<string, string>> =>
  Object.fromEntries(
    globSync(`*.${ending}.yaml`, { cwd: directory.pathname })
      .sort()
      .map((name) => [name, readFileSync(new URL(name, directory), 'utf8')]),
  );

export const readRules = (): Rule[] =>
  Object.values(ruleFiles()).flatMap((text) =>
    (parse(text) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules),
  );

export const readAlerts = (): AlertRule[] => readRules().filter((rule): rule is AlertRule => 'alert' in rule);

const secondsOf = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/**
 * The same rules on a faster clock: every window of a rate and every `for` divided by `factor`, at least one second for a `for`
 * and `shortest` seconds for a window, which needs two scrapes. Thresholds and names stay.
 */
export function quicken(rules: string, factor: number, shortest: number): string {
  const divide = (amount: string, unit: string, least: number): string =>
    `${Math.max(least, Math.round((Number(amount) * secondsOf[unit as keyof typeof secondsOf]) / factor))}s`;
  return rules
    .replace(/\[(\d+)([smhd])\]/g, (_, amount, unit) => `[${divide(amount, unit, shortest)}]`)
    .replace(/^(\s+for: )(\d+)([smhd])$/gm, (_, key, amount, unit) =>
      amount === '0' ? `${key}0s` : `${key}${divide(amount, unit, 1)}`,
    );
}
