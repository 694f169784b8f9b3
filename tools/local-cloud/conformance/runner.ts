import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Case, Expect, HttpStep, Step } from "./case.ts";
import { type MatchContext, mismatch, show, valueAt, valuesAt } from "./matcher.ts";
import { type ReceivedResponse, send } from "./send-request.ts";
import * as Socket from "./socket.ts";
import type { Target } from "./target.ts";

/** Runs a case against a target and returns one sentence per expectation that does not hold; none if the case passes. */
export async function run({ steps, authorizerCalls }: Case, target: Target): Promise<string[]> {
  const state: State = { target, aheadMs: 0, saved: { run: randomUUID() }, socket: undefined };
  // an earlier case may have advanced the clock past the expiry of the tokens
  await advance(0, state);
  const before = authorizerCalls === undefined ? 0 : await countCalls(target);
  const complaints: string[] = [];
  try {
    for (const [index, step] of steps.entries()) {
      const found = await runStep(withValues(step, state), state);
      complaints.push(...found.map((text) => `step ${index + 1}: ${text}`));
    }
  } finally {
    state.socket?.end();
  }
  if (authorizerCalls !== undefined) {
    const made = (await countCalls(target)) - before;
    if (made !== authorizerCalls)
      complaints.push(`the authorizer was called ${made} times, not ${authorizerCalls}`);
  }
  return complaints;
}

export type { Case, Target };

type State = {
  target: Target;
  /** How far the target's virtual clock is ahead of the real one. */
  aheadMs: number;
  /** What steps saved, and `run`, which is unique per run. */
  saved: Record<string, unknown>;
  socket: Socket.Socket | undefined;
};

async function runStep(step: Step, state: State): Promise<string[]> {
  if ("request" in step) return runHttp(step, state);
  if ("waitSeconds" in step) {
    if (state.target.clock) await advance(step.waitSeconds, state);
    else await sleep(step.waitSeconds * 1000);
    return [];
  }
  if ("nextDay" in step) {
    await advance(DAY_SECONDS, state);
    return [];
  }
  if ("connect" in step) {
    state.socket?.end();
    const { socket, wrong } = await Socket.connect(step);
    state.socket = socket;
    return wrong;
  }
  if ("receive" in step) {
    const message = parsed(await state.socket!.next());
    for (const [name, pointer] of Object.entries(step.save ?? {}))
      state.saved[name] = valueAt(message, pointer);
    const context = { document: message, now: Date.now() + state.aheadMs };
    return mismatches("the message", context, step.receive);
  }
  if ("check" in step) {
    const actual = state.saved[step.check];
    const context = { document: actual, now: Date.now() + state.aheadMs };
    const wrong = mismatch(actual, step.is, context);
    return wrong ? [`${step.check}: ${show(actual)} ${wrong}`] : [];
  }
  if ("closed" in step) {
    const code = await state.socket!.closed();
    return code === step.closed
      ? []
      : [`the connection was closed with ${code}, not ${step.closed}`];
  }
  if ("close" in step) await state.socket!.close();
  else await state.socket!.send(step);
  return [];
}

const DAY_SECONDS = 24 * 3600;

async function runHttp(step: HttpStep, state: State): Promise<string[]> {
  const until = Date.now() + (step.retryForSeconds ?? 0) * 1000;
  for (;;) {
    const wrong = await sendAndCheck(step, state);
    if (wrong.length === 0 || Date.now() >= until) return wrong;
    await sleep(100);
  }
}

async function sendAndCheck(step: HttpStep, { target, saved, aheadMs }: State): Promise<string[]> {
  const { request, times = 1, expectByStatus, expect } = step;
  const { save = {}, saveHeaders = {}, collect = {} } = step;
  const responses = await Promise.all(
    Array.from({ length: times }, () => send(request, target, saved)),
  );
  const json = parsed(responses[0]!.body.toString("utf8"));
  for (const [name, pointer] of Object.entries(save)) saved[name] = valueAt(json, pointer);
  for (const [name, header] of Object.entries(saveHeaders))
    saved[name] = responses[0]!.headers[header.toLowerCase()];
  for (const [name, pointer] of Object.entries(collect))
    saved[name] = [...((saved[name] as unknown[] | undefined) ?? []), ...valuesAt(json, pointer)];
  if (!expectByStatus) return expect ? check(responses[0]!, expect, aheadMs) : [];
  const tooFew = Object.entries(expectByStatus).flatMap(([status, { min }]) => {
    const count = responses.filter((response) => String(response.status) === status).length;
    return count < min ? [`${count} responses with ${status}, not at least ${min}`] : [];
  });
  const wrong = responses.flatMap((response) => {
    const expected = expectByStatus[response.status];
    if (!expected) return [`${response.status} is not an expected status`];
    return check(response, { ...expected, status: response.status }, aheadMs);
  });
  return [...tooFew, ...wrong];
}

function check(
  { status, headers, body, seconds }: ReceivedResponse,
  expect: Expect,
  aheadMs: number,
): string[] {
  const text = body.toString("utf8");
  const context = { document: parsed(text), now: Date.now() + aheadMs };
  const found: string[] = [];
  if (status !== expect.status) found.push(`status ${status}, not ${expect.status}: ${show(text)}`);
  if (expect.requestId !== false && !UUID.test(headers["x-amzn-requestid"] ?? ""))
    found.push("x-amzn-RequestId is not a UUID");
  for (const [name, matcher] of Object.entries(expect.headers ?? {})) {
    const wrong = mismatch(headers[name.toLowerCase()], matcher, context);
    if (wrong) found.push(`header ${name}: ${show(headers[name.toLowerCase()])} ${wrong}`);
  }
  found.push(...mismatches("the body", context, expect.json ?? {}));
  const wrong = expect.text === undefined ? undefined : mismatch(text, expect.text, context);
  if (wrong) found.push(`the text ${show(text)} ${wrong}`);
  if (expect.base64 !== undefined && body.toString("base64") !== expect.base64)
    found.push(`the bytes are ${show(body.toString("base64"))}`);
  const [min, max] = expect.seconds ?? [0, Number.POSITIVE_INFINITY];
  if (seconds < min || seconds > max) found.push(`it took ${seconds.toFixed(2)} s`);
  return found;
}

function mismatches(
  what: string,
  context: MatchContext,
  matchers: Record<string, unknown>,
): string[] {
  return Object.entries(matchers).flatMap(([pointer, matcher]) => {
    const actual = valueAt(context.document, pointer);
    const wrong = mismatch(actual, matcher as object, context);
    return wrong ? [`${what} at "${pointer}": ${show(actual)} ${wrong}`] : [];
  });
}

/** Advances the target's virtual clock, if it has one, and takes over the new tokens. */
async function advance(seconds: number, state: State) {
  const { clock } = state.target;
  if (!clock) return;
  const body = JSON.stringify({ advanceSeconds: seconds });
  const response = await fetch(clock, { method: "POST", body });
  if (!response.ok)
    throw new Error(`POST ${clock} answered ${response.status}: ${await response.text()}`);
  const { now, cognito } = (await response.json()) as {
    now: string;
    cognito?: Record<string, string>;
  };
  state.aheadMs = Date.parse(now) - Date.now();
  if (cognito) state.target = { ...state.target, cognito };
}

async function countCalls({ authorizerCalls }: Target): Promise<number> {
  const response = await fetch(authorizerCalls!);
  return ((await response.json()) as { count: number }).count;
}

/** Replaces `${name}`, `${name|uri}` and `${a*3}` in all strings of a step. */
function withValues(step: Step, { target, saved }: State): Step {
  const management = target.websocketUrl?.replace(/^ws/, "http");
  const known = { ...target, ...saved, management: management && new URL(management) };
  const value = (name: string): unknown =>
    name
      .split(".")
      .reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], known);
  const letters = JSON.stringify(step).replace(/\$\{a\*(\d+)\}/g, (_, n) => "a".repeat(n));
  const text = letters.replace(/\$\{([\w.]+)(\|uri)?\}/g, (_, name, uri) => {
    const found = String(value(name));
    return JSON.stringify(uri ? encodeURIComponent(found) : found).slice(1, -1);
  });
  return JSON.parse(text);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
