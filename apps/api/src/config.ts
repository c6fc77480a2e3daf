import {
  fleetConfig,
  fleetVariables,
  httpUrl,
  list,
  optional,
  readSettings,
  wholeNumber,
  withDefault,
} from '@captionfleet/protocol/settings';
import { modelTasks } from '@captionfleet/protocol/task';
import { z } from 'zod';
import { azuremlConfig, azuremlVariables } from './azureml-config.ts';

/** The settings of the API; docs/reference/configuration.md lists them. */
const ApiConfigSchema = z
  .object({
    ...fleetVariables,
    HOST: withDefault(z.string(), '127.0.0.1'),
    /** 0 takes any free port. */
    PORT: withDefault(wholeNumber(0, 65535), '8080'),
    /** Jobs that may wait in the queue; a request that would exceed them is refused with 429. */
    CAPTIONFLEET_MAX_WAITING: withDefault(wholeNumber(1, 10_000_000), '10000'),
    /** What the fleet's workers have models for, with commas between them; anything else is refused at the door. */
    CAPTIONFLEET_TASKS: withDefault(list(z.enum(modelTasks)), 'caption'),
    /** Where callers reach this API, when it is not what they write into the Host header. */
    CAPTIONFLEET_PUBLIC_URL: optional(httpUrl),
    ...azuremlVariables,
  })
  .transform((settings, context) => ({
    ...fleetConfig(settings, context),
    host: settings.HOST,
    port: settings.PORT,
    tasks: settings.CAPTIONFLEET_TASKS,
    maxWaiting: settings.CAPTIONFLEET_MAX_WAITING,
    publicUrl: settings.CAPTIONFLEET_PUBLIC_URL?.replace(/\/+$/, ''),
    azureml: azuremlConfig(settings, context),
  }));
export type ApiConfig = z.infer<typeof ApiConfigSchema>;

/** @throws CONFIG_INVALID naming the variables that are wrong */
export const readConfig = (env: NodeJS.ProcessEnv): ApiConfig => readSettings(ApiConfigSchema, env);
