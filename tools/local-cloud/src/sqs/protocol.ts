import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

import { parseInput, parseTarget, sendJson, sendServiceError } from "../json-protocol.ts";
import {
  type XmlContent,
  type XmlFields,
  isQueryRequest,
  parseForm,
  sendQueryError,
  sendQueryResult,
} from "../query-protocol.ts";
import type { ServiceError } from "../service-error.ts";
import type { Input } from "./action.ts";

/** One of the two wire formats of SQS. */
export type Protocol = {
  parse(request: IncomingMessage, body: Buffer): { action: string; input: Input };
  sendResult(response: ServerResponse, action: string, result: object): void;
  /** `code` is the error's name in the query protocol. */
  sendError(response: ServerResponse, error: ServiceError, code: string): void;
};

/** Returns the wire format of a request. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-json-faqs.html */
export const protocolOf = (request: IncomingMessage): Protocol =>
  isQueryRequest(request.headers["content-type"]) ? queryProtocol : jsonProtocol;

/** What AWS's current SDKs and awscli 2.13 and later use. */
const jsonProtocol: Protocol = {
  parse: (request, body) => ({
    action: parseTarget(request).operation,
    input: parseInput(body) as Input,
  }),
  sendResult: (response, _action, result) => sendJson(response, 200, result),
  sendError(response, error, code) {
    sendServiceError(response, error, {
      // AWS's SDKs show this name, which is that of the query protocol
      "x-amzn-query-error": `${code};${error.status >= 500 ? "Receiver" : "Sender"}`,
    });
  },
};

const NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/";

/** What awscli 1, awscli 2.9 (Debian's) and boto3 up to 1.28 use. */
const queryProtocol: Protocol = {
  parse(request, body) {
    const fields = parseForm(body);
    const { Action, Version: _, ...input } = readFields(fields);
    // a client that posts to the queue's own address need not repeat it
    const path = request.url?.split("?", 1)[0] ?? "/";
    const QueueUrl = path === "/" ? {} : { QueueUrl: `http://${request.headers.host}${path}` };
    return {
      action: typeof Action === "string" ? Action : "",
      input: { ...QueueUrl, ...input } as Input,
    };
  },
  sendResult(response, action, result) {
    const fields = toXmlFields(action, result);
    const hasResult = Object.keys(fields).length > 0 || WITH_EMPTY_RESULT.has(action);
    sendQueryResult(response, action, NAMESPACE, hasResult ? fields : undefined, randomUUID());
  },
  sendError(response, { status, message }, code) {
    sendQueryError(response, NAMESPACE, { status, code, message }, randomUUID());
  },
};

/** botocore asks for the result's element of these, also when nothing was found. */
const WITH_EMPTY_RESULT = new Set(["ReceiveMessage", "ListQueues", "GetQueueAttributes"]);

/** Names of lists in form fields (`AttributeName.1`) and in XML, and what JSON calls them. */
const LISTS: Record<string, string> = {
  AttributeName: "AttributeNames",
  MessageAttributeName: "MessageAttributeNames",
  MessageSystemAttributeName: "MessageSystemAttributeNames",
  SendMessageBatchRequestEntry: "Entries",
  DeleteMessageBatchRequestEntry: "Entries",
  ChangeMessageVisibilityBatchRequestEntry: "Entries",
};

/** Lists of a name and a value, which JSON writes as an object. */
const MAPS: Record<string, string> = {
  MessageAttribute: "MessageAttributes",
  MessageSystemAttribute: "MessageSystemAttributes",
};

const NUMBERS = new Set([
  "DelaySeconds",
  "MaxNumberOfMessages",
  "MaxResults",
  "VisibilityTimeout",
  "WaitTimeSeconds",
]);

/** `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue` is the deepest there is. */
const MAX_DEPTH = 6;

type Tree = Map<string, Tree | string>;

function readFields(fields: Map<string, string>): Record<string, unknown> {
  const root: Tree = new Map();
  for (const [path, value] of fields) {
    const names = path.split(".", MAX_DEPTH + 1);
    if (names.length > MAX_DEPTH) continue;
    const last = names.pop()!;
    let parent: Tree | string | undefined = root;
    for (const name of names) {
      if (!(parent instanceof Map)) break;
      if (!parent.has(name)) parent.set(name, new Map());
      parent = parent.get(name);
    }
    if (parent instanceof Map) parent.set(last, value);
  }
  return toInput(root);
}

function toInput(tree: Tree): Record<string, unknown> {
  return Object.fromEntries(
    [...tree].map(([name, value]): [string, unknown] => {
      if (typeof value === "string") return [name, NUMBERS.has(name) ? Number(value) : value];
      const items = [...value]
        .toSorted(([a], [b]) => Number(a) - Number(b))
        .map(([, item]) => (typeof item === "string" ? item : toInput(item)));
      if (MAPS[name]) {
        const pairs = items as { Name: string; Value: unknown }[];
        return [MAPS[name], Object.fromEntries(pairs.map((pair) => [pair.Name, pair.Value]))];
      }
      return LISTS[name] ? [LISTS[name], items] : [name, toInput(value)];
    }),
  );
}

/** What XML calls the lists and objects of a JSON result; it repeats an element instead of wrapping a list. */
const XML_NAMES: Record<string, string> = {
  Attributes: "Attribute",
  Failed: "BatchResultErrorEntry",
  MessageAttributes: "MessageAttribute",
  Messages: "Message",
  QueueUrls: "QueueUrl",
  Results: "ListMessageMoveTasksResultEntry",
};

function toXmlFields(action: string, result: object): XmlFields {
  return Object.fromEntries(
    Object.entries(result).map(([name, value]): [string, XmlContent | XmlContent[]] => {
      const xmlName = name === "Successful" ? `${action}ResultEntry` : (XML_NAMES[name] ?? name);
      if (typeof value !== "object") return [xmlName, value];
      const items: unknown[] = Array.isArray(value)
        ? value
        : Object.entries(value).map(([Name, Value]) => ({ Name, Value }));
      return [xmlName, items.map((item) => toContent(action, item))];
    }),
  );
}

function toContent(action: string, item: unknown): XmlContent {
  if (typeof item !== "object" || item === null) return String(item);
  if ("Value" in item && typeof item.Value === "object")
    return { ...item, Value: { ...item.Value } } as XmlFields;
  return toXmlFields(action, item);
}
