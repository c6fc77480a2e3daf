// `npm run client-types` writes the types of packages/client from the OpenAPI document of the API; a test compares them.
import { writeFile } from 'node:fs/promises';
import { startBackends, startTestApi } from '../apps/api/src/test-api.ts';
import { generateTypes } from '../packages/client/scripts/generate-types.ts';

export const clientTypesFile = new URL('../packages/client/src/openapi-types.ts', import.meta.url);

export async function currentClientTypes(): Promise<string> {
  await using backends = await startBackends();
  await using api = await startTestApi(backends);
  return await generateTypes((await api.app.inject('/openapi.json')).body);
}

if (import.meta.main) await writeFile(clientTypesFile, await currentClientTypes());
