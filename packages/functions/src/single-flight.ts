/** Runs one work per key at a time; whoever comes for the same meanwhile gets the same result, or the same error. */
export function create<T>() {
  const flying = new Map<string, Promise<T>>();

  return function once(key: string, work: () => Promise<T>): Promise<T> {
    const flight = flying.get(key) ?? work().finally(() => flying.delete(key));
    flying.set(key, flight);
    return flight;
  };
}
