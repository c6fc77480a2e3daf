import { KeyEnvironmentSchema } from '@captionfleet/protocol/api-key';
import { CaptionfleetError } from '@captionfleet/protocol/errors';
import { GenerationOptionsSchema } from '@captionfleet/protocol/generation-options';
import { scopes } from '@captionfleet/protocol/scope';
import { AnswerOptionsSchema, type TaskType } from '@captionfleet/protocol/task';
import { TenantSchema } from '@captionfleet/protocol/tenant';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { addGenerationFlags, readGenerationFlags, withSwitchValues } from './generation-flags.ts';
import { inputName } from './image-inputs.ts';
import { readTask } from './task-flags.ts';

/** Signals within this time of the first are the same Ctrl-C: a terminal, npm and the bootstrap each pass it on. */
const sameSignalMs = 2000;

const stopping = new AbortController();
let firstSignalAt = 0;
/** As shells have it: 128 and the number of the signal. */
let stoppedStatus = 1;
for (const [name, number] of [
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.on(name, () => {
    stoppedStatus = 128 + number;
    if (firstSignalAt === 0) firstSignalAt = Date.now();
    else if (Date.now() - firstSignalAt > sameSignalMs) process.exit(stoppedStatus);
    stopping.abort(new CaptionfleetError('SHUTTING_DOWN', 'stopped by a signal'));
  });
}
// The bootstrap's channel closes when it dies, also by a signal that it could not pass on.
process.once('disconnect', () => stopping.abort(new CaptionfleetError('SHUTTING_DOWN', 'the parent process is gone')));
process.channel?.unref();
const { signal } = stopping;

// `captionfleet caption … | head` closes the pipe when it has seen enough: that is no failure, and ends a command at once.
let onClosedPipe = (): void => process.exit(0);
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return onClosedPipe();
  process.stderr.write(`captionfleet: OUTPUT_FAILED: standard output cannot be written (${error.code})\n`);
  process.exit(1);
});

const program = new Command('captionfleet')
  .description('Captions images with BLIP: at the command line, or as a fleet of workers behind a queue.')
  .version('0.1.0')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'captionfleet: OPTION_INVALID: ')) })
  .showSuggestionAfterError();

program
  .command('up')
  .description('bring up the whole fleet on this machine and stay')
  .option('--model <dir>', 'model directory or Hugging Face checkpoint directory')
  .option('--no-samples', 'do not caption the sample images')
  .action(async (flags) => {
    const { up } = await import('./up.ts');
    // A Ctrl-C that also ends the other end of the pipe must not end the parts out of their order.
    onClosedPipe = () => stopping.abort(new CaptionfleetError('SHUTTING_DOWN', 'nobody reads the output any more'));
    await up(flags, process.env, signal);
  });

addGenerationFlags(
  GenerationOptionsSchema,
  addTaskCommand('caption', 'caption files, directories and URLs in this process, without a queue'),
);
addTaskCommand('match', 'say how well each text goes with each image').option(
  '--text <text>',
  'a text; give the flag again for another',
  collect,
  [],
);
addTaskCommand('embed', 'print the vectors of images and texts, whose products say how alike they are').option(
  '--text <text>',
  'a text to embed too; give the flag again for another',
  collect,
  [],
);
addGenerationFlags(
  AnswerOptionsSchema,
  addTaskCommand('answer', 'answer questions about each image').option(
    '--question <question>',
    'a question; give the flag again for another',
    collect,
    [],
  ),
);

addGenerationFlags(
  GenerationOptionsSchema,
  program
    .command('enqueue')
    .description('post images to a running fleet')
    .argument('<input...>', 'image files, directories, http(s) URLs')
    .option('--api <url>', 'base URL of the API', 'http://127.0.0.1:8080')
    .option('--wait <seconds>', 'wait for the captions this long', wholeNumber, 0),
).action(async (inputs: string[], flags) => {
  const { enqueueCommand } = await import('./enqueue-command.ts');
  const options = readGenerationFlags(GenerationOptionsSchema, flags);
  const { printFailure } = await import('./print-outcome.ts');
  const key = process.env['CAPTIONFLEET_API_KEY'] || undefined;
  for await (const event of enqueueCommand(inputs, options, { ...flags, key }, signal)) {
    if (event.type === 'request-posted') {
      const { files, status } = event;
      process.stdout.write(`${JSON.stringify({ files: files.map(inputName), status })}\n`);
    } else {
      printFailure(event.file, event.error);
      process.exitCode = 1;
    }
  }
});

program
  .command('doctor')
  .description('what this machine is, which variants of a model it can serve, and how fast')
  .option('--model <dir>', 'model directory or Hugging Face checkpoint directory (default: the demo model)')
  .option('--json', 'one document of JSON', false)
  .action(async (flags) => {
    const { doctorCommand } = await import('./doctor-command.ts');
    await doctorCommand(flags, process.env, signal);
  });

program
  .command('simulate')
  .description('compare autoscaling policies on made-up loads: late images, cost, swings')
  .option('--trace <name>', 'one load only, such as "burst"')
  .option('--seed <number>', 'of chance; the same seed gives the same table', '1')
  .option('--out <dir>', 'write a picture of each load there')
  .action(async (flags) => {
    const { simulateCommand } = await import('./simulate-command.ts');
    await simulateCommand(flags);
  });

const model = program.command('model').description('bring, build and look at models');
model
  .command('pull')
  .description('download a BLIP checkpoint from the hub (HF_ENDPOINT, HF_TOKEN) and build it')
  .argument('<id[@revision]>', 'such as Salesforce/blip-image-captioning-base')
  .option('--out <dir>', 'model directory to write')
  .option('--force', 'replace a model that is there', false)
  .option('--no-int8', 'build fp32 only')
  .option('--one-graph', 'also build the captioner as one graph, in fp32 and fp16, for GPUs', false)
  .option('--probes <dir>', 'pictures that int8 is compared with fp32 on (default: photographs of ours)')
  .action(async (reference: string, flags) => {
    const { modelPullCommand } = await import('./model-commands.ts');
    process.stdout.write(`${await modelPullCommand(reference, flags, process.env, signal)}\n`);
  });
model
  .command('build')
  .description('build a model directory from a Hugging Face checkpoint directory')
  .argument('<checkpoint>', 'directory with config.json and model.safetensors or pytorch_model.bin')
  .requiredOption('--out <dir>', 'model directory to write')
  .option('--id <id>', 'name of the model (default: the name of the directory)')
  .option('--revision <revision>', 'revision of the checkpoint')
  .option('--force', 'replace a model that is there', false)
  .option('--no-int8', 'build fp32 only')
  .option('--one-graph', 'also build the captioner as one graph, in fp32 and fp16, for GPUs', false)
  .option('--probes <dir>', 'pictures that int8 is compared with fp32 on (default: photographs of ours)')
  .action(async (checkpoint: string, flags) => {
    const { modelBuildCommand } = await import('./model-commands.ts');
    const manifest = await modelBuildCommand(checkpoint, flags, signal);
    const { describeVariants } = await import('./model-build.ts');
    const { id, revision, tasks } = manifest;
    process.stdout.write(`${flags.out}: ${id}@${revision}: ${tasks.join(', ')}; ${describeVariants(manifest)}
`);
  });
model
  .command('show')
  .description('verify a model and print its manifest')
  .argument('[dir]', 'model directory or checkpoint directory (default: the demo model)')
  .action(async (directory: string | undefined) => {
    const { openModel } = await import('./model-commands.ts');
    const { path, manifest } = await openModel(directory, signal);
    process.stdout.write(`${JSON.stringify({ path, ...manifest }, null, 2)}\n`);
  });

const key = program.command('key').description('make, list and revoke the keys that callers of the API have');
key
  .command('create')
  .description('make a key and print it, this once')
  .requiredOption('--tenant <tenant>', 'whose requests it makes and sees', word(TenantSchema))
  .addOption(
    new Option('--scope <scope...>', 'what it may do; several with blanks between them')
      .choices(scopes)
      .makeOptionMandatory(),
  )
  .option('--environment <word>', 'part of the key that says where it is for', word(KeyEnvironmentSchema), 'live')
  .option('--name <name>', 'what people call it, for the list')
  .option('--days <n>', 'days until it expires; 0: never', wholeNumber, 365)
  .action(async (flags) => {
    const { keyCreateCommand } = await import('./key-commands.ts');
    const { id, text, expiresAt = 'never' } = await keyCreateCommand(flags, process.env, signal);
    process.stdout.write(`${text}\n`);
    process.stderr.write(
      `captionfleet: key ${id} of ${flags.tenant} is made (expires: ${expiresAt}); this is the only time it is shown\n`,
    );
  });
key
  .command('list')
  .description('print a line of JSON for each key')
  .action(async () => {
    const { keyListCommand } = await import('./key-commands.ts');
    for (const line of await keyListCommand(process.env, signal)) process.stdout.write(`${JSON.stringify(line)}\n`);
  });
key
  .command('revoke')
  .description('end a key for good, for every API process in seconds')
  .argument('<id>', 'the id of the key')
  .action(async (id: string) => {
    const { keyRevokeCommand } = await import('./key-commands.ts');
    await keyRevokeCommand(id, process.env, signal);
    process.stdout.write(`${id} is revoked\n`);
  });

/** A command that does one task of images in this process. */
function addTaskCommand(type: TaskType, description: string): Command {
  return program
    .command(type)
    .description(description)
    .argument('<input...>', 'image files, directories, http(s) URLs')
    .option('--model <dir>', 'model directory or Hugging Face checkpoint directory (default: the demo model)')
    .option('--json', 'one line of JSON per image', false)
    .option('--out <dir>', 'also write each result to a file there, once')
    .option('--threads <n>', 'threads of the model (default: all cores)', positiveNumber)
    .addOption(
      new Option('--variant <variant>', 'number format of the model; auto: what a worker would serve on this machine')
        .choices(['fp32', 'int8', 'auto'])
        .default('fp32'),
    )
    .option(
      '--allow-private-hosts <host:port,...>',
      'private addresses that URLs may point to (default: CAPTIONFLEET_ALLOW_PRIVATE_HOSTS)',
      list,
      list(process.env['CAPTIONFLEET_ALLOW_PRIVATE_HOSTS'] ?? ''),
    )
    .action(async (inputs: string[], flags) => {
      const task = readTask(type, flags);
      const { taskCommand } = await import('./task-command.ts');
      const failures = await taskCommand(inputs, task, flags, signal);
      if (failures > 0) process.exitCode = 1;
    });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}

function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('must be at least 1.');
  return number;
}

function word(schema: typeof TenantSchema): (text: string) => string {
  return (text) => {
    const { success, data, error } = schema.safeParse(text);
    if (!success) throw new InvalidArgumentError(`${error.issues[0]?.message}.`);
    return data;
  };
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}

for (const command of [...program.commands, ...model.commands, ...key.commands])
  command.exitOverride().copyInheritedSettings(program);

try {
  await program.parseAsync(withSwitchValues(process.argv));
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (signal.aborted) return stoppedStatus;
  if (error instanceof CaptionfleetError) {
    process.stderr.write(`captionfleet: ${error.code}: ${error.message}\n`);
    return error.code === 'OPTION_INVALID' ? 2 : 1;
  }
  process.stderr.write(`captionfleet: INTERNAL: ${error instanceof Error ? error.stack : String(error)}\n`);
  return 1;
}
