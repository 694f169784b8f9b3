/**
 * A function that runs one work per key at a time; a call with the same key meanwhile gets the same result, or the same error.
 * A flight lasts until its result is there, and until what `lastsUntil` returns for the result is settled.
 */
export function create<T>(
  lastsUntil: (result: T) => Promise<unknown> | undefined = () => undefined,
) {
  const flights = new Map<string, Promise<T>>();

  return function share(key: string, work: () => Promise<T>): Promise<T> {
    const current = flights.get(key);
    if (current) return current;
    const flight = work();
    flights.set(key, flight);
    const end = () => flights.delete(key);
    flight.then(lastsUntil).then(end, end);
    return flight;
  };
}
