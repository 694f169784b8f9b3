/**
 * Runs one work per key at a time; whoever comes for the same meanwhile gets the same result, or the same error.
 * A result that still has to land somewhere keeps its flight in the air until `landed` says so.
 */
export function create<T>(landed?: (result: T) => Promise<unknown> | undefined) {
  const flying = new Map<string, Promise<T>>();

  return function once(key: string, work: () => Promise<T>): Promise<T> {
    const meanwhile = flying.get(key);
    if (meanwhile) return meanwhile;
    const flight = work();
    flying.set(key, flight);
    const end = () => flying.delete(key);
    (landed ? flight.then(landed) : flight).then(end, end);
    return flight;
  };
}
