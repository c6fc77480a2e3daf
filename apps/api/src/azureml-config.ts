import { list, optional, wholeNumber, withDefault } from '@captionfleet/protocol/settings';
import { z } from 'zod';
import { azuremlBatchConfig, azuremlBatchVariables } from './azureml-batch-config.ts';
import type { Deployment } from './azureml-frontend.ts';

const deploymentName = /^[A-Za-z](?:[A-Za-z0-9]|-(?!-)){2,31}$/;
const deploymentForm = 'must be name=weight or name:task=weight, with a task of caption, answer or auto';
const mirrorForm = 'must be name=percent, of one of the deployments, at most 50';

const DeploymentSchema = z.string().transform((text, context): Deployment => {
  const [, name = '', task = 'auto', weight] = /^([^:=]+)(?::(caption|answer|auto))?=(\d{1,3})$/.exec(text) ?? [];
  if (deploymentName.test(name) && Number(weight) <= 100) {
    return { name, task: task as Deployment['task'], weight: Number(weight) };
  }
  context.addIssue({ code: 'custom', message: deploymentForm });
  return z.NEVER;
});

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** The settings of the AzureML surface; docs/reference/azureml.md says what they mean. */
export const azuremlVariables = {
  CAPTIONFLEET_AZUREML: withDefault(z.enum(['off', 'container', 'frontend']), 'off'),
  CAPTIONFLEET_AZUREML_PORT: withDefault(wholeNumber(0, 65535), '5001'),
  CAPTIONFLEET_AZUREML_SCORING_TIMEOUT_MS: withDefault(wholeNumber(1, 3_600_000), '180000'),
  CAPTIONFLEET_AZUREML_ROW_ERRORS: withDefault(flag, 'false'),
  CAPTIONFLEET_AZUREML_MAX_CONCURRENT: withDefault(wholeNumber(1, 1_000), '32'),
  CAPTIONFLEET_AZUREML_INSTANCES: withDefault(wholeNumber(1, 500), '1'),
  CAPTIONFLEET_AZUREML_SERVER_VERSION: withDefault(z.string().regex(/^[\x20-\x7e]+$/), 'azmlinfsrv/1.5.1'),
  CAPTIONFLEET_AZUREML_KEYS: list(z.string().regex(/^\S{16,}$/, 'each must have at least 16 characters, no blanks')),
  CAPTIONFLEET_AZUREML_REQUEST_TIMEOUT_MS: withDefault(wholeNumber(1, 180_000), '90000'),
  CAPTIONFLEET_AZUREML_DEPLOYMENTS: withDefault(list(DeploymentSchema), 'default=100'),
  CAPTIONFLEET_AZUREML_MIRROR: optional(z.string().regex(/^[^=]+=\d{1,2}$/, mirrorForm)),
  ...azuremlBatchVariables,
};
type AzuremlVariables = z.infer<z.ZodObject<typeof azuremlVariables>>;

/** A front end needs keys of its own where the fleet asks for none. */
export function azuremlConfig(
  variables: AzuremlVariables,
  { fleetHasKeys, container }: { readonly fleetHasKeys: boolean; readonly container: string },
  context: z.core.$RefinementCtx,
) {
  const mode = variables.CAPTIONFLEET_AZUREML;
  const keys = variables.CAPTIONFLEET_AZUREML_KEYS;
  const deployments = variables.CAPTIONFLEET_AZUREML_DEPLOYMENTS;
  const refuse = (name: keyof AzuremlVariables, message: string): void =>
    context.addIssue({ code: 'custom', path: [name], message });
  if (mode === 'frontend' && keys.length === 0 && !fleetHasKeys)
    refuse('CAPTIONFLEET_AZUREML_KEYS', 'a front end needs a key');
  const total = deployments.reduce((sum, { weight }) => sum + weight, 0);
  if (total !== 0 && total !== 100) refuse('CAPTIONFLEET_AZUREML_DEPLOYMENTS', 'the weights must add up to 100 or 0');
  if (new Set(deployments.map(({ name }) => name)).size < deployments.length) {
    refuse('CAPTIONFLEET_AZUREML_DEPLOYMENTS', 'each name must stand once');
  }
  const [name = '', percent] = variables.CAPTIONFLEET_AZUREML_MIRROR?.split('=') ?? [];
  const mirror = percent === undefined ? undefined : { name, percent: Number(percent) };
  if (mirror !== undefined && !(mirror.percent <= 50 && deployments.some((known) => known.name === name))) {
    refuse('CAPTIONFLEET_AZUREML_MIRROR', mirrorForm);
  }
  const batch = azuremlBatchConfig(variables, { container, isSurfaceOff: mode === 'off' }, context);
  if (mode === 'off') return undefined;
  const serverVersion = variables.CAPTIONFLEET_AZUREML_SERVER_VERSION;
  return {
    port: variables.CAPTIONFLEET_AZUREML_PORT,
    scoringTimeoutMs: variables.CAPTIONFLEET_AZUREML_SCORING_TIMEOUT_MS,
    rowErrors: variables.CAPTIONFLEET_AZUREML_ROW_ERRORS,
    serverVersion: serverVersion === 'off' ? undefined : serverVersion,
    /** As managed endpoints count: twice what all instances do at a time. */
    maxInFlight: 2 * variables.CAPTIONFLEET_AZUREML_MAX_CONCURRENT * variables.CAPTIONFLEET_AZUREML_INSTANCES,
    batch: batch && { ...batch, deployments },
    frontend:
      mode === 'container'
        ? undefined
        : { keys, deployments, mirror, requestTimeoutMs: variables.CAPTIONFLEET_AZUREML_REQUEST_TIMEOUT_MS },
  };
}
export type AzuremlConfig = NonNullable<ReturnType<typeof azuremlConfig>>;
