import { ServiceError } from "../iam/request-access.ts";

type Entry = { Id?: string };

/** Does each entry by itself: one that is refused does not stop the others. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html */
export function batch<E extends Entry>(
  { Entries = [] }: { Entries?: E[] },
  work: (entry: E) => object,
): { answer: object } {
  check(Entries);
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
    answer: {
      ...(Successful.length > 0 ? { Successful } : {}),
      ...(Failed.length > 0 ? { Failed } : {}),
    },
  };
}

function check(entries: Entry[]): void {
  const ids = entries.map(({ Id }) => Id ?? "");
  if (entries.length === 0)
    throw fault(
      "EmptyBatchRequest",
      "There should be at least one SendMessageBatchRequestEntry in the request.",
    );
  if (entries.length > 10)
    throw fault(
      "TooManyEntriesInBatchRequest",
      `Maximum number of entries per request are 10. You have sent ${entries.length}.`,
    );
  const bad = ids.find((id) => !/^[\w-]{1,80}$/.test(id));
  if (bad !== undefined)
    throw fault(
      "InvalidBatchEntryId",
      "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
    );
  const repeated = ids.find((id, at) => ids.indexOf(id) !== at);
  if (repeated !== undefined) throw fault("BatchEntryIdsNotDistinct", `Id ${repeated} repeated.`);
}

const fault = (name: string, message: string) =>
  new ServiceError(`com.amazonaws.sqs#${name}`, message);
