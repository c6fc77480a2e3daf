const everyMs = 60_000;

/** Writes the first error at once, and from then on one a minute at most, with how many there were since. */
export function seldom(
  write: (error: Error, count: number) => void,
  now = () => performance.now(),
): (error: Error) => void {
  let nextAt = Number.NEGATIVE_INFINITY;
  let count = 0;
  return (error) => {
    count += 1;
    if (now() < nextAt) return;
    nextAt = now() + everyMs;
    write(error, count);
    count = 0;
  };
}
