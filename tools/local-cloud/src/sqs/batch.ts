import { ServiceError } from "../service-error.ts";

type Entry = { Id?: string };

/**
 * Does the work for each entry and returns `Successful` and `Failed`: a refused entry does not stop the others.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
 */
export function forEachEntry<E extends Entry>(
  { Entries = [] }: { Entries?: E[] },
  work: (entry: E) => object,
): object {
  assertValidEntries(Entries);
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const entry of Entries) {
    try {
      Successful.push({ Id: entry.Id, ...work(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const Code = error.type
        .split("#")
        .at(-1)
        ?.replace(/Exception$/, "");
      Failed.push({ Id: entry.Id, SenderFault: error.status < 500, Code, Message: error.message });
    }
  }
  return {
    ...(Successful.length > 0 ? { Successful } : {}),
    ...(Failed.length > 0 ? { Failed } : {}),
  };
}

function assertValidEntries(entries: Entry[]): void {
  const ids = entries.map(({ Id }) => Id ?? "");
  if (entries.length === 0)
    throw batchError(
      "EmptyBatchRequest",
      "There should be at least one SendMessageBatchRequestEntry in the request.",
    );
  if (entries.length > 10)
    throw batchError(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  const invalid = ids.find((id) => !/^[\w-]{1,80}$/.test(id));
  if (invalid !== undefined)
    throw batchError(
      "InvalidBatchEntryId",
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
    );
  const repeated = ids.find((id, at) => ids.indexOf(id) !== at);
  if (repeated !== undefined)
    throw batchError("BatchEntryIdsNotDistinct", `Id ${repeated} repeated.`);
}

const batchError = (name: string, message: string) =>
  new ServiceError(`com.amazonaws.sqs#${name}`, message);
