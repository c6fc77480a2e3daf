import { Presets, SingleBar } from 'cli-progress';

export interface Progress {
  /** Adds to what is done. */
  advance(by?: number): void;
  setTotal(total: number): void;
  /** Writes something else without the bar in its way. */
  interrupt(write: () => void): void;
  stop(): void;
}

/** A progress bar on a terminal's standard error; nothing at all in a pipe. */
export function startProgress(what: string, total: number): Progress {
  if (!process.stderr.isTTY) {
    return {
      advance: () => undefined,
      setTotal: () => undefined,
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
    advance: (by = 1) => bar.increment(by),
    setTotal: (value) => bar.setTotal(value),
    interrupt: (write) => {
      process.stderr.write('\r\u001b[K');
      write();
      bar.render();
    },
    stop: () => bar.stop(),
  };
}
