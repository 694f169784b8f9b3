import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type { Case, Expect, HttpStep, Step } from "./case.ts";
import { type World, at, complaint, every, show } from "./matcher.ts";
import { type Answer, send } from "./http.ts";
import * as Socket from "./socket.ts";
import type { Target } from "./target.ts";

/** Everything that is wrong, in sentences; nothing when the case holds. Knows what the target says of itself and no more. */
export async function run({ steps, authorizerCalls }: Case, target: Target): Promise<string[]> {
  const state: State = { target, aheadMs: 0, saved: { run: randomUUID() }, socket: undefined };
  // an earlier case may have moved the clock past the time of the tokens
  await advance(0, state);
  const before = authorizerCalls === undefined ? 0 : await countCalls(target);
  const complaints: string[] = [];
  try {
    for (const [index, step] of steps.entries()) {
      const found = await take(filled(step, state), state);
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
  /** How far the target's clock is ahead of ours. */
  aheadMs: number;
  /** What steps saved, and `run`: a word that no other run has. */
  saved: Record<string, unknown>;
  socket: Socket.Socket | undefined;
};

async function take(step: Step, state: State): Promise<string[]> {
  if ("request" in step) return http(step, state);
  if ("waitSeconds" in step) {
    if (state.target.clock) await advance(step.waitSeconds, state);
    else await sleep(step.waitSeconds * 1000);
    return [];
  }
  if ("freshDay" in step) {
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
      state.saved[name] = at(message, pointer);
    const world = { document: message, now: Date.now() + state.aheadMs };
    return facts("the message", world, step.receive);
  }
  if ("check" in step) {
    const actual = state.saved[step.check];
    const world = { document: actual, now: Date.now() + state.aheadMs };
    const wrong = complaint(actual, step.is, world);
    return wrong ? [`${step.check}: ${show(actual)} ${wrong}`] : [];
  }
  if ("closed" in step) {
    const code = await state.socket!.closed();
    return code === step.closed ? [] : [`the connection ended with ${code}, not ${step.closed}`];
  }
  if ("close" in step) await state.socket!.close();
  else await state.socket!.send(step);
  return [];
}

const DAY_SECONDS = 24 * 3600;

async function http(step: HttpStep, state: State): Promise<string[]> {
  const until = Date.now() + (step.patience ?? 0) * 1000;
  for (;;) {
    const wrong = await ask(step, state);
    if (wrong.length === 0 || Date.now() >= until) return wrong;
    await sleep(100);
  }
}

async function ask(step: HttpStep, { target, saved, aheadMs }: State): Promise<string[]> {
  const { request, times = 1, among, expect, save = {}, saveHeaders = {}, collect = {} } = step;
  const answers = await Promise.all(
    Array.from({ length: times }, () => send(request, target, saved)),
  );
  const json = parsed(answers[0]!.body.toString("utf8"));
  for (const [name, pointer] of Object.entries(save)) saved[name] = at(json, pointer);
  for (const [name, header] of Object.entries(saveHeaders))
    saved[name] = answers[0]!.headers[header.toLowerCase()];
  for (const [name, pointer] of Object.entries(collect))
    saved[name] = [...((saved[name] as unknown[] | undefined) ?? []), ...every(json, pointer)];
  if (!among) return expect ? judge(answers[0]!, expect, aheadMs) : [];
  const few = Object.entries(among).flatMap(([status, { least }]) => {
    const count = answers.filter((answer) => String(answer.status) === status).length;
    return count < least ? [`${count} × ${status}, not ${least}`] : [];
  });
  const wrong = answers.flatMap((answer) => {
    const expected = among[answer.status];
    if (!expected) return [`${answer.status} is none of the answers`];
    return judge(answer, { ...expected, status: answer.status }, aheadMs);
  });
  return [...few, ...wrong];
}

function judge(
  { status, headers, body, seconds }: Answer,
  expect: Expect,
  aheadMs: number,
): string[] {
  const text = body.toString("utf8");
  const json = parsed(text);
  const world = { document: json, now: Date.now() + aheadMs };
  const found: string[] = [];
  if (status !== expect.status) found.push(`status ${status}, not ${expect.status}: ${show(text)}`);
  if (expect.requestId !== false && !UUID.test(headers["x-amzn-requestid"] ?? ""))
    found.push("x-amzn-RequestId is no UUID");
  for (const [name, fact] of Object.entries(expect.headers ?? {})) {
    const wrong = complaint(headers[name.toLowerCase()], fact, world);
    if (wrong) found.push(`header ${name}: ${show(headers[name.toLowerCase()])} ${wrong}`);
  }
  found.push(...facts("the body", world, expect.json ?? {}));
  const wrong = expect.text === undefined ? undefined : complaint(text, expect.text, world);
  if (wrong) found.push(`the text ${show(text)} ${wrong}`);
  if (expect.base64 !== undefined && body.toString("base64") !== expect.base64)
    found.push(`the bytes are ${show(body.toString("base64"))}`);
  const [least, most] = expect.seconds ?? [0, Number.POSITIVE_INFINITY];
  if (seconds < least || seconds > most) found.push(`it took ${seconds.toFixed(2)} s`);
  return found;
}

function facts(what: string, world: World, wanted: Record<string, unknown>): string[] {
  return Object.entries(wanted).flatMap(([pointer, fact]) => {
    const actual = at(world.document, pointer);
    const wrong = complaint(actual, fact as object, world);
    return wrong ? [`${what} at "${pointer}": ${show(actual)} ${wrong}`] : [];
  });
}

/** Moves the target's clock where it has one, and takes the tokens of the new time. */
async function advance(seconds: number, state: State) {
  const { clock } = state.target;
  if (!clock) return;
  const body = JSON.stringify({ advanceSeconds: seconds });
  const answer = await fetch(clock, { method: "POST", body });
  if (!answer.ok) throw new Error(`the clock answered ${answer.status}: ${await answer.text()}`);
  const { now, cognito } = (await answer.json()) as {
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

/** With every `${name}` replaced; `${name|uri}` is percent-encoded, `${a*3}` is three letters. */
function filled(step: Step, { target, saved }: State): Step {
  const management = target.websocketUrl?.replace(/^ws/, "http");
  const known = { ...target, ...saved, management: management && new URL(management) };
  const value = (name: string): unknown =>
    name.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], known);
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
