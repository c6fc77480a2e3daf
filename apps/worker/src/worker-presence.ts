import { randomUUID } from 'node:crypto';
import { arch, availableParallelism, cpus, platform } from 'node:os';
import type { ModelCard, WorkerPresence } from '@captionfleet/protocol/worker-presence';
import type { DrainRate } from '@captionfleet/queue/drain-rate';
import type { WorkerConfig } from './config.ts';
import type { LoadedModel } from './inference-messages.ts';
import { hourlyPrice, type MachineConfig } from './machine-config.ts';

interface WorkerFacts {
  readonly config: WorkerConfig;
  /** With what is known of it by now. */
  readonly machine: MachineConfig;
  readonly model: LoadedModel;
  readonly card: ModelCard;
  /** Of the images that end here. */
  readonly rate: Pick<DrainRate, 'perSecond'>;
}

/** What this worker says of itself each time it is asked; while it is idle it keeps the rate that it had. */
export function describeWorker({ config, machine: known, model, card, rate }: WorkerFacts): () => WorkerPresence {
  const id = randomUUID();
  const readySince = new Date().toISOString();
  const startSeconds = Math.round(process.uptime() * 10) / 10;
  const machine = {
    platform: platform(),
    architecture: arch(),
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  };
  const { size, zone, priority } = known;
  const usdPerHour = hourlyPrice(known);
  const place = {
    ...(size === undefined ? {} : { size }),
    ...(zone === undefined ? {} : { zone }),
    ...(priority === undefined ? {} : { priority }),
    ...(usdPerHour === undefined ? {} : { usdPerHour }),
  };
  let measured: number | undefined;
  return () => {
    measured = rate.perSecond() ?? measured;
    return {
      id,
      model: model.identity,
      card,
      tasks: [...model.tasks],
      lanes: [...config.lanes],
      pool: config.pool,
      machine,
      ...place,
      processes: config.inferenceProcesses,
      ...(measured === undefined ? {} : { imagesPerSecond: Math.round(measured * 100) / 100 }),
      startSeconds,
      readySince,
    };
  };
}
