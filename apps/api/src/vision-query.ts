import { visionFeatures, visionVersions } from './vision-contract.ts';
import { VisionRefusal } from './vision-error.ts';

/** What a query asks for beside the caption of the one model that a fleet runs. */
export interface VisionQuery {
  readonly genderNeutral: boolean;
}

/** Values by parameter; one that is given more than once is a list. */
export type QueryParameters = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Characters of a wrong value that an answer repeats. */
const shownLength = 60;

/**
 * Reads the query of an analysis. Parameters that the interface does not have are ignored, as Azure ignores them.
 *
 * @throws VisionRefusal for the first that is wrong, in the order of the specification
 */
export function readVisionQuery(parameters: QueryParameters): VisionQuery {
  checkVersion(single(parameters, 'api-version'));
  checkFeatures([parameters['features'] ?? []].flat().join(','));
  checkLanguage(single(parameters, 'language'));
  const genderNeutral = readBoolean('gender-neutral-caption', single(parameters, 'gender-neutral-caption'));
  checkModelVersion(single(parameters, 'model-version'));
  return { genderNeutral };
}

function single(parameters: QueryParameters, name: string): string | undefined {
  const value = parameters[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new VisionRefusal('BadArgument', `the query parameter ${name} is given ${value.length} times`);
}

function checkVersion(version: string | undefined): void {
  const known = visionVersions.map((name) => `'${name}'`).join(', ');
  if (version === undefined || version === '') {
    throw new VisionRefusal(
      'MissingApiVersionParameter',
      `the api-version query parameter (?api-version=) is required for all requests; the supported api-versions are ${known}`,
    );
  }
  if (visionVersions.some((name) => name === version)) return;
  throw new VisionRefusal(
    'UnsupportedApiVersionValue',
    `unsupported api-version ${shown(version)}; the supported api-versions are ${known}`,
  );
}

/** Azure's clients write `Caption` as well as `caption`. */
function checkFeatures(list: string): void {
  const names = list.split(',').map((name) => name.trim());
  if (names.every((name) => name === '')) {
    throw new VisionRefusal('BadArgument', 'the query parameter features is required, such as features=caption');
  }
  for (const name of names) {
    const feature = visionFeatures.find((known) => known.toLowerCase() === name.toLowerCase());
    if (feature === 'caption') continue;
    throw new VisionRefusal(
      'NotSupportedVisualFeature',
      feature === undefined
        ? `${shown(name)} is none of the visual features ${visionFeatures.join(', ')}`
        : `this fleet captions images and has no model for the visual feature '${feature}'; ask for features=caption alone`,
    );
  }
}

function checkLanguage(language = 'en'): void {
  if (language.toLowerCase() === 'en') return;
  throw new VisionRefusal('NotSupportedLanguage', `captions have the language 'en', not ${shown(language)}`);
}

function readBoolean(name: string, value = 'false'): boolean {
  const text = value.toLowerCase();
  if (text === 'true' || text === 'false') return text === 'true';
  throw new VisionRefusal('BadArgument', `the query parameter ${name} is true or false, not ${shown(value)}`);
}

function checkModelVersion(version = 'latest'): void {
  if (version === 'latest') return;
  const wellFormed = /^(?:latest|\d{4}-\d{2}-\d{2})(?:-preview)?$/.test(version);
  throw new VisionRefusal(
    wellFormed ? 'InvalidModel' : 'BadArgument',
    wellFormed
      ? `this fleet runs a model of its own and no model-version ${shown(version)} of Azure's; leave it out or send 'latest'`
      : `the query parameter model-version is 'latest', 'YYYY-MM-DD' or 'YYYY-MM-DD-preview', not ${shown(version)}`,
  );
}

/** A value as a message repeats it. */
function shown(value: string): string {
  const line = value.slice(0, shownLength).replaceAll(/\p{Cc}/gu, ' ');
  return value.length > shownLength ? `'${line}...'` : `'${line}'`;
}
