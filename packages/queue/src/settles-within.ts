/** Whether a promise settles, either way, in `milliseconds`. */
export async function settlesWithin(pending: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, milliseconds, false);
  try {
    const settled = () => true;
    return await Promise.race([pending.then(settled, settled), late]);
  } finally {
    clearTimeout(timer);
  }
}
