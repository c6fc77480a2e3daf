import { CaptionfleetError } from '@captionfleet/protocol/errors';
import type { BlobPlace, ScoringSettings } from '@captionfleet/protocol/scoring-job';
import { z } from 'zod';
import { type AzuremlBatchConfig, OutputFileNameSchema } from './azureml-batch-config.ts';
import { type BatchPlaces, folderPrefix, readBlobUri } from './azureml-batch-uri.ts';

/** What the body of `POST /jobs` asks for. */
export interface AskedScoring {
  readonly name: string | undefined;
  readonly input: BlobPlace & { readonly isFolder: boolean };
  /** Undefined where the caller leaves it to the endpoint. */
  readonly output: BlobPlace | undefined;
  readonly outputFileName: string;
  readonly settings: ScoringSettings;
}

/** The members of an object, whatever case their names are written in: the documentation has InputData, azure-ai-ml has inputData. */
const members = <Shape extends z.ZodRawShape>(shape: Shape) => z.preprocess(inLowerCase, z.looseObject(shape));

const inLowerCase = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member]))
    : value;

const uri = z.string().min(1).max(4_096);
const maybe = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const InputSchema = members({
  jobinputtype: z.string().toLowerCase(),
  uri: maybe(uri),
});
const OutputSchema = members({
  joboutputtype: maybe(z.enum(['UriFolder', 'UriFile'], 'must be UriFolder or UriFile')),
  uri,
});
/** Of the first batch endpoints: `{ "dataInputType": "DataUrl", "Path": "…" }`, `{ "DataUrl": "…" }`, or a URL by itself. */
const DatasetSchema = z.union(
  [
    uri.transform((path) => ({ path })),
    members({ datainputtype: maybe(z.string()), path: maybe(uri), dataurl: maybe(uri) }).transform(
      ({ path, dataurl }) => ({ path: path ?? dataurl }),
    ),
  ],
  'must be {"dataInputType": "DataUrl", "Path": "…"}',
);
const OutputDatasetSchema = members({ datastoreid: z.string(), path: maybe(z.string()) });

/** Seconds, or a duration such as PT30S. */
const durationForm = 'must be a duration such as PT30S, or seconds';
const SecondsSchema = z.union([z.int(), z.string()], durationForm).transform((value, context) => {
  const [, hours = 0, minutes = 0, seconds = 0] =
    /^PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?$/.exec(String(value)) ?? [];
  const total = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  const given = typeof value === 'number' || /^\d+$/.test(value) ? Number(value) : total;
  if (given >= 1 && given <= 86_400) return given;
  context.addIssue({ code: 'custom', message: durationForm });
  return z.NEVER;
});

const actions = { appendrow: 'append_row', summaryonly: 'summary_only' } as const;
const OutputActionSchema = z.string().transform((text, context) => {
  const action = actions[text.toLowerCase().replace('_', '') as keyof typeof actions];
  if (action !== undefined) return action;
  context.addIssue({ code: 'custom', message: 'must be append_row or summary_only' });
  return z.NEVER;
});

const BodySchema = members({
  properties: members({
    name: maybe(z.string().regex(/^[\w-]{1,254}$/, 'must be letters, digits, "_" and "-"')),
    inputdata: maybe(z.record(z.string(), InputSchema)),
    outputdata: maybe(z.record(z.string(), OutputSchema)),
    dataset: maybe(DatasetSchema),
    outputdataset: maybe(OutputDatasetSchema),
    outputfilename: maybe(OutputFileNameSchema),
    outputaction: maybe(OutputActionSchema),
    minibatchsize: maybe(z.int().min(1)),
    errorthreshold: maybe(z.int().min(-1)),
    retrysettings: maybe(members({ maxretries: maybe(z.int().min(0)), timeout: maybe(SecondsSchema) })),
  }),
});
type Properties = z.infer<typeof BodySchema>['properties'];

/**
 * Reads the body of `POST /jobs` in each form that clients send.
 *
 * @throws REQUEST_INVALID or URL_REFUSED, saying what is wrong
 */
export function readScoringBody(value: unknown, config: AzuremlBatchConfig, places: BatchPlaces): AskedScoring {
  const parsed = BodySchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CaptionfleetError('REQUEST_INVALID', `${issue?.path.join('.') || 'the body'}: ${issue?.message}`);
  }
  const { properties } = parsed.data;
  const outputFileName = properties.outputfilename ?? config.outputFileName;
  const { settings } = config;
  return {
    name: properties.name,
    input: readInput(properties, places),
    output: readOutput(properties, outputFileName, places),
    outputFileName,
    settings: {
      miniBatchSize: properties.minibatchsize ?? settings.miniBatchSize,
      errorThreshold: properties.errorthreshold ?? settings.errorThreshold,
      maxRetries: properties.retrysettings?.maxretries ?? settings.maxRetries,
      timeoutSeconds: properties.retrysettings?.timeout ?? settings.timeoutSeconds,
      outputAction: properties.outputaction ?? settings.outputAction,
    },
  };
}

/** The one input that a model deployment has, under whatever name. */
function readInput({ inputdata, dataset }: Properties, places: BatchPlaces): AskedScoring['input'] {
  const inputs = Object.entries(inputdata ?? {});
  const [[label, input] = []] = inputs;
  if (inputs.length > 1) throw invalid('properties.InputData: a model deployment has one input');
  if (input === undefined) {
    if (dataset === undefined) throw invalid('properties: there must be InputData with one input');
    if (dataset.path === undefined) throw invalid('properties.dataset: a DataUrl with a Path is needed');
    // Nothing says whether it is a folder; what has the name of a file is one.
    return asInput(dataset.path, !/\.[a-z0-9]{1,5}$/i.test(dataset.path), places);
  }
  if (!['urifolder', 'urifile'].includes(input.jobinputtype)) {
    throw invalid(`properties.InputData.${label}: JobInputType must be UriFolder or UriFile`);
  }
  if (input.uri === undefined) throw invalid(`properties.InputData.${label}: Uri is missing`);
  return asInput(input.uri, input.jobinputtype === 'urifolder', places);
}

function asInput(text: string, isFolder: boolean, places: BatchPlaces): AskedScoring['input'] {
  const { container, name } = readBlobUri(text, 'input', places);
  if (isFolder) return { container, name: folderPrefix(name), isFolder };
  if (name === '' || name.endsWith('/')) throw invalid('input: a UriFile must be the name of a file');
  return { container, name, isFolder };
}

function readOutput(
  { outputdata, outputdataset }: Properties,
  fileName: string,
  places: BatchPlaces,
): BlobPlace | undefined {
  const outputs = Object.values(outputdata ?? {});
  const [output] = outputs;
  if (outputs.length > 1) throw invalid('properties.OutputData: a model deployment has one output');
  if (output !== undefined) {
    const place = readBlobUri(output.uri, 'output', places);
    const isFile = output.joboutputtype === 'UriFile';
    if (isFile && (place.name === '' || place.name.endsWith('/'))) {
      throw invalid('output: a UriFile must be the name of a file');
    }
    return isFile ? place : { ...place, name: `${folderPrefix(place.name)}${fileName}` };
  }
  if (outputdataset === undefined) return undefined;
  const { datastoreid, path = '' } = outputdataset;
  const id = datastoreid.includes('/') ? datastoreid : `azureml://datastores/${datastoreid.replace(/^azureml:/, '')}`;
  const { container, name } = readBlobUri(`${id}/paths/${path}`, 'output', places);
  return { container, name: `${folderPrefix(name)}${fileName}` };
}

const invalid = (message: string): CaptionfleetError => new CaptionfleetError('REQUEST_INVALID', message);
