import { ContainerNameSchema } from '@captionfleet/protocol/image-reference';
import type { ScoringSettings } from '@captionfleet/protocol/scoring-job';
import { list, wholeNumber, withDefault } from '@captionfleet/protocol/settings';
import { z } from 'zod';
import type { Datastore } from './azureml-batch-uri.ts';

const datastoreForm = 'must be name=container or name=container/folder';

const DatastoreSchema = z.string().transform((text, context): Datastore => {
  const [, datastore = '', name = '', folder = ''] = /^(\w[\w-]*)=([^/]+)(?:\/(.*))?$/.exec(text) ?? [];
  const container = ContainerNameSchema.safeParse(name);
  if (container.success) return { datastore, container: container.data, name: folder };
  context.addIssue({ code: 'custom', message: datastoreForm });
  return z.NEVER;
});

/** A name of a file, without folders. */
export const OutputFileNameSchema = z
  .string()
  .regex(/^(?!\.{1,2}$)[^/\\\p{Cc}]{1,200}$/u, 'must be the name of a file, without a folder');

/** The settings of the batch endpoint; docs/reference/azureml.md says what they mean. */
export const azuremlBatchVariables = {
  CAPTIONFLEET_AZUREML_BATCH: withDefault(z.enum(['off', 'on']), 'off'),
  /** Containers of the account that inputs may be in; the workers read images of the same ones. */
  CAPTIONFLEET_IMAGE_CONTAINERS: list(ContainerNameSchema),
  CAPTIONFLEET_AZUREML_OUTPUT_CONTAINERS: list(ContainerNameSchema),
  CAPTIONFLEET_AZUREML_DATASTORES: list(DatastoreSchema),
  CAPTIONFLEET_AZUREML_MINI_BATCH_SIZE: withDefault(wholeNumber(1, 1_000_000), '10'),
  CAPTIONFLEET_AZUREML_ERROR_THRESHOLD: withDefault(wholeNumber(-1, 1_000_000_000), '-1'),
  CAPTIONFLEET_AZUREML_MAX_RETRIES: withDefault(wholeNumber(0, 1_000), '3'),
  CAPTIONFLEET_AZUREML_MINI_BATCH_TIMEOUT_S: withDefault(wholeNumber(1, 86_400), '30'),
  CAPTIONFLEET_AZUREML_OUTPUT_ACTION: withDefault(z.enum(['append_row', 'summary_only']), 'append_row'),
  CAPTIONFLEET_AZUREML_OUTPUT_FILE_NAME: withDefault(OutputFileNameSchema, 'predictions.csv'),
};
type AzuremlBatchVariables = z.infer<z.ZodObject<typeof azuremlBatchVariables>>;

export interface AzuremlBatchConfig {
  readonly inputContainers: readonly string[];
  readonly outputContainers: readonly string[];
  readonly datastores: readonly Datastore[];
  /** Of a job that does not ask for others. */
  readonly settings: ScoringSettings;
  readonly outputFileName: string;
}

/** Undefined where there is no batch endpoint. */
export function azuremlBatchConfig(
  variables: AzuremlBatchVariables,
  { container, isSurfaceOff }: { readonly container: string; readonly isSurfaceOff: boolean },
  context: z.core.$RefinementCtx,
): AzuremlBatchConfig | undefined {
  if (variables.CAPTIONFLEET_AZUREML_BATCH === 'off') return undefined;
  if (isSurfaceOff) {
    const message = 'needs CAPTIONFLEET_AZUREML to be container or frontend';
    context.addIssue({ code: 'custom', path: ['CAPTIONFLEET_AZUREML_BATCH'], message });
  }
  const inputContainers = variables.CAPTIONFLEET_IMAGE_CONTAINERS.filter((name) => name !== container);
  const outputContainers = variables.CAPTIONFLEET_AZUREML_OUTPUT_CONTAINERS;
  if (outputContainers.includes(container)) {
    context.addIssue({
      code: 'custom',
      path: ['CAPTIONFLEET_AZUREML_OUTPUT_CONTAINERS'],
      message: "must not have the fleet's own container, where requests and results are",
    });
  }
  return {
    inputContainers,
    outputContainers,
    datastores: variables.CAPTIONFLEET_AZUREML_DATASTORES,
    settings: {
      miniBatchSize: variables.CAPTIONFLEET_AZUREML_MINI_BATCH_SIZE,
      errorThreshold: variables.CAPTIONFLEET_AZUREML_ERROR_THRESHOLD,
      maxRetries: variables.CAPTIONFLEET_AZUREML_MAX_RETRIES,
      timeoutSeconds: variables.CAPTIONFLEET_AZUREML_MINI_BATCH_TIMEOUT_S,
      outputAction: variables.CAPTIONFLEET_AZUREML_OUTPUT_ACTION,
    },
    outputFileName: variables.CAPTIONFLEET_AZUREML_OUTPUT_FILE_NAME,
  };
}
