import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Clock } from "../clock.ts";
import { ServiceError } from "../iam/request-access.ts";
import type { Log } from "../log.ts";
import type { ResourceGraph } from "../graph/resource-graph.ts";
import { createQueueWaiters } from "./queue-waiters.ts";
import * as Message from "./message.ts";
import { type QueueSettings, readQueues } from "./queue-settings.ts";
import { type MessageCounts, inTransaction, openMessageStore, toMessage } from "./queue-store.ts";

/** The queues of the graph, on disk. Everything but `poll` is synchronous, and part of a transaction that is open on the same connection. */
export type Queues = {
  list(): QueueSettings[];
  /** Throws a Fault when there is no such queue. */
  get(queueArn: string): QueueSettings;
  send(queueArn: string, body: string, sending?: Message.SendOptions): Message.SendResult;
  receive(queueArn: string, max: number, visibilitySeconds?: number): Message.Message[];
  /** Waits until there is something to receive, the time is up, or the signal aborts: then nothing is taken. */
  poll(queueArn: string, polling: PollOptions): Promise<Message.Message[]>;
  delete(queueArn: string, receiptHandle: string): void;
  changeVisibility(queueArn: string, receiptHandle: string, seconds: number): void;
  /** As if they had not been received: for messages that never reached whoever asked for them. */
  undoReceive(receiptHandles: string[]): void;
  countMessages(queueArn: string): MessageCounts;
  purge(queueArn: string): void;
  /** Calls back, after the commit, when messages came or became visible by a change; not when time alone makes them visible. Returns how to stop. */
  onMessages(queueArn: string, listener: () => void): () => void;
  /** Sends dead letters back to where they came from, or to another queue. */
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
  const definitions = readQueues(graph);
  const store = openMessageStore(db);
  const waiters = createQueueWaiters();
  const moves: MoveTask[] = [];

  const get = (arn: string): QueueSettings => {
    const queue = definitions.get(arn);
    if (queue) return queue;
    throw new ServiceError(
      "com.amazonaws.sqs#QueueDoesNotExist",
      "The specified queue does not exist.",
    );
  };

  const receive: Queues["receive"] = (arn, max, visibilitySeconds) => {
    const {
      visibilitySeconds: visibility,
      retentionSeconds: retention,
      deadLetters: redrive,
      name,
    } = get(arn);
    const now = clock.now();
    return inTransaction(db, () => {
      store.expire(arn, now - retention * 1000);
      const messages: Message.Message[] = [];
      while (messages.length < max) {
        const rows = store.visible(arn, now, max - messages.length);
        for (const row of rows) {
          // a message is buried when it would be received once too often, not when its last chance fails
          if (redrive && row.receives >= redrive.maxReceives) {
            store.move(row, redrive.target, arn, now);
            log.warn("a message became a dead letter", { queue: name, id: row.id });
            waiters.notify(redrive.target);
          } else {
            const until = now + (visibilitySeconds ?? visibility) * 1000;
            messages.push(toMessage(store.take(row, now, until)));
          }
        }
        // one that is received with no time to hide would be found again
        if (rows.length === 0 || visibilitySeconds === 0) break;
      }
      return messages;
    });
  };

  return {
    list: () => [...definitions.values()],
    get,
    receive,
    send(arn, body, sending = {}) {
      const { delaySeconds: delay, maxMessageBytes: maxBytes } = get(arn);
      Message.assertValidMessage(body, sending, maxBytes);
      const now = clock.now();
      const visibleAt = now + (sending.delaySeconds ?? delay) * 1000;
      const messageId = store.insert(arn, body, sending, now, visibleAt);
      waiters.notify(arn);
      const attributesMd5 = Message.attributesMd5(sending.attributes ?? {});
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
      store.show(row, now + seconds * 1000);
      waiters.notify(arn);
    },
    undoReceive(receiptHandles) {
      for (const receipt of receiptHandles) store.untake(receipt, clock.now());
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
      const isDead = [...definitions.values()].some(
        ({ deadLetters: redrive }) => redrive?.target === source,
      );
      if (!isDead)
        throw Message.invalidParameter("Source queue must be configured as a Dead Letter Queue.");
      const now = clock.now();
      const move = inTransaction(db, (): MoveTask => {
        const rows = store.resting(source, now);
        const movable = rows.filter((row) => definitions.has(destination ?? row.origin ?? ""));
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
      moves.unshift(move);
      return move;
    },
    listMoveTasks: (source) => moves.filter((move) => move.source === source),
  };
}
