import openapiTypeScript, { astToString, type OpenAPI3 } from 'openapi-typescript';

const head =
  '// Written by `npm run client-types` from the OpenAPI document; a test holds it against the document.\n\n';

/** The types of the fleet's own routes, as openapi-fetch and the client read them. */
export async function generateTypes(document: string): Promise<string> {
  const openapi: OpenAPI3 = JSON.parse(document, (key, value) =>
    key === 'example' || key === 'examples' ? undefined : value,
  );
  const paths = Object.entries(openapi.paths ?? {}).filter(([path]) => path.startsWith('/v1/'));
  const ast = await openapiTypeScript(
    { ...openapi, paths: Object.fromEntries(paths) },
    { alphabetize: true, defaultNonNullable: false },
  );
  return head + astToString(ast);
}
