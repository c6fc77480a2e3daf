/** A number of places, of which each is had by one at a time; nobody waits for one. */
export class Permits {
  #free: number;

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Takes a place until it is disposed of, or returns undefined where none is free. */
  tryAcquire(): Disposable | undefined {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    return {
      [Symbol.dispose]: () => {
        this.#free += 1;
      },
    };
  }
}
