import type { Inputs } from "./graph.ts";
import { account } from "./resource-outputs.ts";

/**
 * The answers to the data sources that SST's components read while the program runs.
 *
 * @throws Error for any other data source, so that none is guessed
 */
export function answerCall(token: string, inputs: Inputs, region: string): Inputs {
  switch (token) {
    case "aws:index/getRegion:getRegion":
      return { id: region, name: region, region };
    case "aws:index/getPartition:getPartition":
      return { id: "aws", partition: "aws", dnsSuffix: "amazonaws.com" };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return {
        id: account,
        accountId: account,
        arn: `arn:aws:iam::${account}:user/deployer`,
        userId: "deployer",
      };
    case "aws:iam/getPolicyDocument:getPolicyDocument":
      return policyDocument(inputs);
    default:
      throw new Error(
        `the data source ${token} has no answer yet: add one in tools/synth/src/data-sources.ts`,
      );
  }
}

type Statement = {
  sid?: string;
  effect?: string;
  actions?: string[];
  resources?: string[];
  principals?: { type: string; identifiers: string[] }[];
  conditions?: { test: string; variable: string; values: string[] }[];
};

/** The provider renders a policy document with AWS's capitalised keys, and a list with one element as that element. */
function policyDocument({ statements }: { statements?: Statement[] }): Inputs {
  // without statements the provider's answer has none either, and SST leaves the inline policy out
  if (!statements?.length) return { json: "{}" };
  const json = JSON.stringify({ Version: "2012-10-17", Statement: statements.map(render) });
  return { statements, json, minifiedJson: json };
}

function render({ sid, effect, actions, resources, principals, conditions }: Statement) {
  return {
    ...(sid && { Sid: sid }),
    Effect: effect ?? "Allow",
    ...(principals && { Principal: renderPrincipals(principals) }),
    ...(actions && { Action: one(actions) }),
    ...(resources && { Resource: one(resources) }),
    ...(conditions?.length && { Condition: renderConditions(conditions) }),
  };
}

function renderPrincipals(principals: { type: string; identifiers: string[] }[]) {
  if (principals.some(({ type }) => type === "*")) return "*";
  return Object.fromEntries(principals.map(({ type, identifiers }) => [type, one(identifiers)]));
}

function renderConditions(conditions: { test: string; variable: string; values: string[] }[]) {
  const rendered: Record<string, Record<string, string | string[]>> = {};
  for (const { test, variable, values } of conditions)
    rendered[test] = { ...rendered[test], [variable]: one(values) };
  return rendered;
}

const one = (values: string[]) => (values.length === 1 ? values[0]! : values);
