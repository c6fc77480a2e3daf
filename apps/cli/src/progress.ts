import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** Shows how much of how much is done. */
  update(state: { readonly done: number; readonly total: number }): void;
  /** Writes something else without the bar in its way. */
  interrupt(write: () => void): void;
  stop(): void;
}

/** A progress bar on a terminal's standard error; nothing at all in a pipe. */
export function startProgress(what: string, total: number): Progress {
  if (!process.stderr.isTTY) {
    return {
      update: () => undefined,
      interrupt: (write) => write(),
      stop: () => undefined,
    };
  }
  const bar = new SingleBar(
    {
      format: `${what} {bar} {percentage}% {value}/{total}, {eta_formatted} left`,
      stream: process.stderr,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return {
    update: ({ done, total: all }) => {
      bar.setTotal(all);
      bar.update(done);
    },
    interrupt: (write) => {
      process.stderr.write('\r\u001b[K');
      write();
      bar.render();
    },
    stop: () => bar.stop(),
  };
}
