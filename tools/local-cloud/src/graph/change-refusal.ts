/** Returns the message for a call that would create, change or delete `resources` ("buckets", "tables") of the graph. */
export const changeRefusal = (operation: string, resources: string) =>
  `${operation} is not available: ${resources} come from the resource graph. Change them in infra/ and generate the graph again.`;
