import { fileURLToPath } from 'node:url';

const repositoryRoot = fileURLToPath(new URL('../../..', import.meta.url));

/** Where this machine keeps what can be made again: built models, the embedded Redis' and Blob storage's data, logs. */
export const stateDirectory = (env: NodeJS.ProcessEnv): string =>
  env['CAPTIONFLEET_HOME'] ?? `${repositoryRoot}.captionfleet`;

export const demoCheckpoint = `${repositoryRoot}models/demo/checkpoint`;
/** Photographs that variants are compared on when no other pictures are named. */
export const defaultProbes = `${repositoryRoot}models/probes`;
export const demoSamples = `${repositoryRoot}models/demo/samples`;
export const entryPoint = (app: 'api' | 'worker'): string => `${repositoryRoot}apps/${app}/src/main.ts`;
