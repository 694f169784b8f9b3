import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import { ServiceError } from "../service-error.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import { createQueueWaiters } from "./queue-waiters.ts";
import * as Message from "./message.ts";
import { type QueueSettings, readQueues } from "./queue-settings.ts";
import { inTransaction } from "../transaction.ts";
import { type MessageCounts, openMessageStore, toMessage } from "./message-store.ts";

/** The queues of the graph, stored in SQLite. Every method except `poll` is synchronous and joins a transaction that is open on the same connection. */
export type Queues = {
  list(): QueueSettings[];
  /** @throws ServiceError if there is no such queue. */
  get(queueArn: string): QueueSettings;
  send(queueArn: string, body: string, options?: Message.SendOptions): Message.SendResult;
  receive(queueArn: string, max: number, visibilitySeconds?: number): Message.Message[];
  /** Waits until there is a message to receive or the time is up; if the signal aborts it receives nothing. */
  poll(queueArn: string, polling: PollOptions): Promise<Message.Message[]>;
  delete(queueArn: string, receiptHandle: string): void;
  changeVisibility(queueArn: string, receiptHandle: string, seconds: number): void;
  /** Makes messages visible again and uncounts their receive: for a response that did not reach the client. */
  undoReceive(receiptHandles: string[]): void;
  countMessages(queueArn: string): MessageCounts;
  purge(queueArn: string): void;
  /** Calls the listener after the commit when messages arrived or a change made them visible, not when time alone does. Returns a function that removes it. */
  onMessages(queueArn: string, listener: () => void): () => void;
  /** Moves dead letters back to the queue they came from, or to another one. */
  startMoveTask(sourceArn: string, destinationArn?: string): MoveTask;
  /** The newest first. */
  listMoveTasks(sourceArn: string): MoveTask[];
};

type PollOptions = {
  max: number;
  waitSeconds: number;
  visibilitySeconds?: number | undefined;
  signal?: AbortSignal | undefined;
};

export type MoveTask = {
  id: string;
  source: string;
  destination?: string;
  status: "COMPLETED" | "FAILED";
  moved: number;
  total: number;
  startedAt: number;
  failure?: string;
};

export function createQueues({
  graph,
  db,
  clock,
  log,
}: {
  graph: ResourceGraph;
  db: DatabaseSync;
  clock: Clock;
  log: Log;
}): Queues {
  const settings = readQueues(graph);
  const store = openMessageStore(db);
  const waiters = createQueueWaiters();
  const moveTasks: MoveTask[] = [];

  const get = (arn: string): QueueSettings => {
    const queue = settings.get(arn);
    if (queue) return queue;
    throw new ServiceError(
      "com.amazonaws.sqs#QueueDoesNotExist",
      "The specified queue does not exist.",
    );
  };

  const receive: Queues["receive"] = (arn, max, visibilitySeconds) => {
    const {
      visibilitySeconds: ownVisibilitySeconds,
      retentionSeconds,
      deadLetters,
      name,
    } = get(arn);
    const now = clock.now();
    return inTransaction(db, () => {
      store.expire(arn, now - retentionSeconds * 1000);
      const messages: Message.Message[] = [];
      while (messages.length < max) {
        const rows = store.findVisible(arn, now, max - messages.length);
        for (const row of rows) {
          // a message moves when it would be received once too often, not when its last receive fails
          if (deadLetters && row.receives >= deadLetters.maxReceiveCount) {
            store.move(row, deadLetters.queueArn, arn, now);
            log.warn("a message moved to the dead-letter queue", { queue: name, id: row.id });
            waiters.notify(deadLetters.queueArn);
          } else {
            const until = now + (visibilitySeconds ?? ownVisibilitySeconds) * 1000;
            messages.push(toMessage(store.receive(row, now, until)));
          }
        }
        // with a visibility timeout of 0 the next round would find the same messages
        if (rows.length === 0 || visibilitySeconds === 0) break;
      }
      return messages;
    });
  };

  return {
    list: () => [...settings.values()],
    get,
    receive,
    send(arn, body, options = {}) {
      const { delaySeconds, maxMessageBytes } = get(arn);
      Message.assertValidMessage(body, options, maxMessageBytes);
      const now = clock.now();
      const visibleAt = now + (options.delaySeconds ?? delaySeconds) * 1000;
      const messageId = store.insert(arn, body, options, now, visibleAt);
      waiters.notify(arn);
      const attributesMd5 = Message.attributesMd5(options.attributes ?? {});
      return { messageId, bodyMd5: Message.md5(body), ...(attributesMd5 ? { attributesMd5 } : {}) };
    },
    async poll(arn, { max, waitSeconds, visibilitySeconds, signal }) {
      const until = clock.now() + waitSeconds * 1000;
      for (;;) {
        if (signal?.aborted) return [];
        const messages = receive(arn, max, visibilitySeconds);
        const left = until - clock.now();
        if (messages.length > 0 || left <= 0) return messages;
        const hidden = (store.nextVisible(arn) ?? Infinity) - clock.now();
        await waiters.wait(arn, clock, Math.max(1, Math.min(left, hidden)), signal);
      }
    },
    delete(arn, receiptHandle) {
      get(arn);
      // with a receipt that a later receive replaced the request succeeds and the message stays: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
      const row = store.findByReceipt(arn, receiptHandle);
      if (row) store.remove(row);
    },
    changeVisibility(arn, receiptHandle, seconds) {
      get(arn);
      const row = store.findByReceipt(arn, receiptHandle);
      const now = clock.now();
      if (!row || row.visible_at <= now)
        throw new ServiceError(
          "com.amazonaws.sqs#MessageNotInflight",
          `Value ${receiptHandle} for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.`,
        );
      store.setVisibleAt(row, now + seconds * 1000);
      waiters.notify(arn);
    },
    undoReceive(receiptHandles) {
      for (const receipt of receiptHandles) store.undoReceive(receipt, clock.now());
      waiters.notifyAll();
    },
    countMessages(arn) {
      const now = clock.now();
      store.expire(arn, now - get(arn).retentionSeconds * 1000);
      return store.count(arn, now);
    },
    purge: (arn) => void store.purge(get(arn).arn),
    onMessages: (arn, listener) => waiters.listen(arn, listener),
    startMoveTask(source, destination) {
      get(source);
      if (destination) get(destination);
      const isDeadLetterQueue = [...settings.values()].some(
        ({ deadLetters }) => deadLetters?.queueArn === source,
      );
      if (!isDeadLetterQueue)
        throw Message.invalidParameter("Source queue must be configured as a Dead Letter Queue.");
      const now = clock.now();
      const task = inTransaction(db, (): MoveTask => {
        const rows = store.findVisible(source, now);
        const movable = rows.filter((row) => settings.has(destination ?? row.origin ?? ""));
        for (const row of movable) {
          const to = destination ?? row.origin ?? "";
          store.move(row, to, null, now);
          waiters.notify(to);
        }
        return {
          id: randomUUID(),
          source,
          ...(destination ? { destination } : {}),
          ...(movable.length < rows.length
            ? { status: "FAILED", failure: "CouldNotDetermineMessageSource" }
            : { status: "COMPLETED" }),
          moved: movable.length,
          total: rows.length,
          startedAt: now,
        };
      });
      moveTasks.unshift(task);
      return task;
    },
    listMoveTasks: (source) => moveTasks.filter((task) => task.source === source),
  };
}
