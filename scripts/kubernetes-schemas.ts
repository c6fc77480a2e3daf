// `npm run kubernetes-schemas`: writes infra/kubernetes/schemas, a strict JSON schema of every kind that the overlays use, from
// Kubernetes' OpenAPI document and the CRDs, all of them files of Go modules. Run it after changing a version or using a kind.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { parse } from 'yaml';
import { customResources, goModule, kubernetesModule } from '../test/support/kubernetes-modules.ts';
import { schemaDirectory } from '../test/support/manifests.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = { [key: string]: Json };

const builtInKinds = [
  'io.k8s.api.core.v1.Namespace',
  'io.k8s.api.core.v1.ConfigMap',
  'io.k8s.api.core.v1.Secret',
  'io.k8s.api.core.v1.Service',
  'io.k8s.api.core.v1.ServiceAccount',
  'io.k8s.api.core.v1.PersistentVolumeClaim',
  'io.k8s.api.core.v1.ResourceQuota',
  'io.k8s.api.core.v1.LimitRange',
  'io.k8s.api.apps.v1.Deployment',
  'io.k8s.api.apps.v1.StatefulSet',
  'io.k8s.api.batch.v1.Job',
  'io.k8s.api.policy.v1.PodDisruptionBudget',
  'io.k8s.api.networking.v1.NetworkPolicy',
];

const isObject = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without prose and extensions, and with no room for fields that are not there. */
function strict(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(strict);
  if (!isObject(schema)) return schema;
  if (schema['x-kubernetes-int-or-string'] === true || schema['format'] === 'int-or-string') {
    return { type: ['integer', 'string'] };
  }
  const kept = Object.entries(schema).filter(([key]) => key !== 'properties' && isConstraint(key));
  const result: Schema = Object.fromEntries(kept.map(([key, value]) => [key, strict(value)]));
  const { properties } = schema;
  if (!isObject(properties)) return result;
  result['properties'] = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, strict(value)]));
  const isOpen = 'additionalProperties' in schema || schema['x-kubernetes-preserve-unknown-fields'] === true;
  return isOpen ? result : { ...result, additionalProperties: false };
}

const isConstraint = (key: string): boolean =>
  !key.startsWith('x-') && !['description', 'default', 'format', 'title', 'nullable', 'example'].includes(key);

const referencesIn = (schema: Json): string[] =>
  JSON.stringify(schema)
    .match(/(?<="#\/definitions\/)[^"]+/g)
    ?.map(String) ?? [];

function builtInSchema(definitions: Schema, name: string): Schema {
  const needed = new Map<string, Json>();
  const add = (definition: string): void => {
    if (needed.has(definition)) return;
    needed.set(
      definition,
      withoutServerFields(definition, strict(quantities(definition, definitions[definition] ?? {}))),
    );
    for (const reference of referencesIn(needed.get(definition) ?? {})) add(reference);
  };
  add(name);
  return { $ref: `#/definitions/${name}`, definitions: Object.fromEntries(needed) };
}

/** What a manifest never sets would triple the files: status is the server's. */
function withoutServerFields(name: string, schema: Json): Json {
  if (!isObject(schema) || !isObject(schema['properties'])) return schema;
  const { status: _, managedFields: __, ...properties } = schema['properties'];
  return name.endsWith('.PersistentVolumeClaimTemplate') ? schema : { ...schema, properties };
}

/** The document calls a quantity a string; the server takes a number too. */
const quantities = (name: string, schema: Json): Json =>
  name.endsWith('.resource.Quantity') ? { type: ['string', 'number'] } : schema;

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

const save = (kind: string, group: string, version: string, schema: Json): void =>
  writeFileSync(
    `${schemaDirectory}/${[kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase()}.json`,
    `${JSON.stringify(schema)}\n`,
  );

function saveCustom({ spec }: CustomResourceDefinition): void {
  for (const { name, schema } of spec.versions) {
    const { status: _, ...properties } = strict(schema.openAPIV3Schema) as { properties: Schema } & Schema;
    const { status: __, ...fields } = properties.properties;
    fields['metadata'] = { type: 'object' };
    save(spec.names.kind, spec.group, name, { ...properties, properties: fields });
  }
}

mkdirSync(schemaDirectory, { recursive: true });
for (const file of readdirSync(schemaDirectory)) rmSync(`${schemaDirectory}/${file}`);
const kubernetes = await goModule(kubernetesModule);
const openApi = JSON.parse(readFileSync(`${kubernetes}/api/openapi-spec/swagger.json`, 'utf8'));
for (const name of builtInKinds) {
  const [version, kind] = name.split('.').slice(-2) as [string, string];
  const [declared] = openApi.definitions[name]['x-kubernetes-group-version-kind'];
  save(kind, declared.group, version, builtInSchema(openApi.definitions, name));
}
for (const definition of await customResources()) saveCustom(parse(definition));
