/** A terminal's Ctrl-C arrives once from the terminal and once from the parent: a second signal this soon is the same. */
const sameSignalMs = 2000;

/** Resolves with the first SIGTERM or SIGINT. One that comes later than two seconds after it ends the process at once. */
export function firstStopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let firstAt: number | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    firstAt ??= performance.now();
    if (performance.now() - firstAt > sameSignalMs) process.exit(1);
    resolve(signal);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  return promise;
}
