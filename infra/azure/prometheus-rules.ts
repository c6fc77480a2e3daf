import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const directory = new URL('../prometheus/', import.meta.url);

const labels = z.record(z.string(), z.string());
const RulesFileSchema = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      interval: z.string().default('1m'),
      rules: z.array(
        z.union([
          z.object({ record: z.string(), expr: z.string(), labels: labels.optional() }),
          z.object({
            alert: z.string(),
            expr: z.string(),
            for: z.string().optional(),
            labels: labels.optional(),
            annotations: labels.optional(),
          }),
        ]),
      ),
    }),
  ),
});

/** Azure's severities: 1 wakes somebody up, 3 can wait for the morning. */
const severities: Record<string, number> = { page: 1, ticket: 3 };

/** Azure takes this many rules in a group. */
const maxRules = 20;

/** `5m` in ISO 8601, as Azure has it: `PT5M`. @throws Error on what Prometheus would not take either. */
export function isoDuration(prometheus: string): string {
  const match = /^(\d+)([smhd])$/.exec(prometheus);
  if (match === null) throw new Error(`${prometheus} is not a duration such as 5m`);
  const [, number, unit = ''] = match;
  return unit === 'd' ? `P${number}D` : `PT${number}${unit.toUpperCase()}`;
}

/** The rules of infra/prometheus in the form of Azure's rule groups. */
export function readRuleGroups(files = readdirSync(directory).filter((file) => file.endsWith('.rules.yaml'))) {
  return files
    .sort()
    .flatMap((file) => RulesFileSchema.parse(parse(readFileSync(new URL(file, directory), 'utf8'))).groups)
    .map(({ name, interval, rules }) => {
      if (rules.length > maxRules)
        throw new Error(`rule group ${name} has ${rules.length} rules; Azure takes ${maxRules}`);
      return { name, interval: isoDuration(interval), rules: rules.map(toAzure) };
    });
}

function toAzure(rule: z.infer<typeof RulesFileSchema>['groups'][number]['rules'][number]) {
  const expression = rule.expr.trim();
  const common = { expression, enabled: true, ...(rule.labels !== undefined && { labels: rule.labels }) };
  if ('record' in rule) return { ...common, record: rule.record };
  return {
    ...common,
    alert: rule.alert,
    severity: severities[rule.labels?.['severity'] ?? ''] ?? 3,
    ...(rule.for !== undefined && { for: isoDuration(rule.for) }),
    ...(rule.annotations !== undefined && { annotations: rule.annotations }),
    resolveConfiguration: { autoResolved: true, timeToResolve: 'PT5M' },
  };
}
