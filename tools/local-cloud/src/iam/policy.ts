import * as PolicyCondition from "./policy-condition.ts";

/** One statement of an IAM policy, as it is written in JSON. */
export type Statement = {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Principal?: "*" | Record<string, string | string[]>;
  NotPrincipal?: "*" | Record<string, string | string[]>;
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: PolicyCondition.ConditionBlock;
};

export type AccessRequest = {
  action: string;
  resource: string;
  context?: PolicyCondition.RequestContext;
  /** The caller, for resource policies and trust policies: `{ Service: "s3.amazonaws.com" }` or `{ AWS: arn }`. */
  principal?: { Service: string } | { AWS: string };
};

export type Decision = { allowed: boolean; explicitDeny: boolean };

/** Returns the decision: an explicit deny wins over every allow, and without an allow the request is denied. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html */
export function evaluate(statements: readonly Statement[], ask: AccessRequest): Decision {
  const applying = statements.filter((statement) => appliesTo(statement, ask));
  const explicitDeny = applying.some(({ Effect }) => Effect === "Deny");
  return { explicitDeny, allowed: !explicitDeny && applying.length > 0 };
}

/** Returns the statements of a policy document. @throws for an element or operator that is not emulated; `where` names the policy in the message. */
export function parse(document: string | object, where: string): Statement[] {
  const policy = typeof document === "string" ? JSON.parse(document) : document;
  const statements: Statement[] = [policy.Statement ?? []].flat();
  for (const statement of statements) assertSupported(statement, where);
  return statements;
}

function appliesTo(statement: Statement, ask: AccessRequest): boolean {
  const context = ask.context ?? {};
  return (
    matchesPrincipal(statement, ask) &&
    matchesAction(statement, ask.action) &&
    matchesResource(statement, ask.resource, context) &&
    PolicyCondition.holds(statement.Condition, context)
  );
}

function matchesPrincipal(
  { Principal, NotPrincipal }: Statement,
  { principal }: AccessRequest,
): boolean {
  if (NotPrincipal) return !includesPrincipal(NotPrincipal, principal);
  return Principal ? includesPrincipal(Principal, principal) : true;
}

function includesPrincipal(
  named: NonNullable<Statement["Principal"]>,
  principal: AccessRequest["principal"],
): boolean {
  if (named === "*") return true;
  if (!principal) return false;
  const [[kind, who] = ["", ""]] = Object.entries(principal);
  return [named[kind] ?? []].flat().some((name) => name === "*" || samePrincipal(name, who));
}

/** An account id or its root matches every principal of the account, and a role matches its sessions. */
function samePrincipal(name: string, who: string): boolean {
  if (name === who) return true;
  const account = /^(?:arn:aws:iam::)?(\d{12})(?::root)?$/.exec(name)?.[1];
  if (account) return who.split(":")[4] === account;
  const role = /^arn:aws:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(name);
  return role !== null && who.startsWith(`arn:aws:sts::${role[1]}:assumed-role/${role[2]}/`);
}

function matchesAction({ Action, NotAction }: Statement, action: string): boolean {
  const named = (patterns: string | string[]) =>
    [patterns].flat().some((pattern) => matches(pattern, action, true));
  return NotAction ? !named(NotAction) : named(Action ?? []);
}

function matchesResource(
  { Resource, NotResource }: Statement,
  resource: string,
  context: PolicyCondition.RequestContext,
): boolean {
  const named = (patterns: string | string[]) =>
    [patterns].flat().some((pattern) => {
      const filled = PolicyCondition.substituteVariables(pattern, context);
      return filled !== undefined && matches(filled, resource);
    });
  if (NotResource) return !named(NotResource);
  // a trust policy has no Resource: it belongs to the role
  return Resource === undefined || named(Resource);
}

function matches(pattern: string, value: string, caseInsensitive = false): boolean {
  if (pattern === "*" || pattern === value) return true;
  return PolicyCondition.wildcardRegExp(pattern, caseInsensitive ? "i" : "").test(value);
}

const knownElements = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

function assertSupported(statement: Statement, where: string): void {
  const unknown = Object.keys(statement).find((key) => !knownElements.has(key));
  if (unknown) throw new Error(`${where}: "${unknown}" is not an element of a policy statement`);
  const effect: string = statement.Effect;
  if (effect !== "Allow" && effect !== "Deny")
    throw new Error(`${where}: Effect is "${effect}", not Allow or Deny`);
  if (!statement.Action === !statement.NotAction)
    throw new Error(`${where}: a statement needs either Action or NotAction`);
  PolicyCondition.assertSupported(statement.Condition, where);
}
