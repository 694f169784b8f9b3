import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";

import type { Log } from "../log.ts";
import {
  type Resource,
  type ResourceGraph,
  logicalName,
  resourcesOf,
} from "../graph/resource-graph.ts";
import { StartError } from "../start-error.ts";
import * as Policy from "./policy.ts";

/** An identity that signs requests: a session of a role, or the operator of the local cloud. */
export type Principal = {
  arn: string;
  /** The logical name of the function that has the role, for logs. */
  label: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  statements: readonly Policy.Statement[];
};

export type Principals = {
  list(): Principal[];
  find(accessKeyId: string): Principal | undefined;
  /** Returns the session that a service gets for a role. @throws if the role does not trust the service. */
  forRole(roleArn: string, service: string, context?: Policy.AccessRequest["context"]): Principal;
  /** May do anything: for developers and tests, never for a function. */
  operator: Principal;
};

export type AuthorizationResult = Policy.Decision & { message: string };

export function createPrincipals({
  graph,
  db,
}: {
  graph: ResourceGraph;
  db: DatabaseSync;
}): Principals {
  const credentials = openCredentialStore(db);
  const operatorArn = `arn:aws:iam::${graph.account}:user/operator`;
  const operator: Principal = {
    arn: operatorArn,
    label: "operator",
    ...credentials(operatorArn, "AKIA"),
    statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  };

  const sessions = new Map<string, RoleSession>();
  for (const role of resourcesOf(graph, "aws:iam/role:Role"))
    sessions.set(role.outputs.arn, createRoleSession(graph, role, credentials));

  const byKey = new Map(
    [operator, ...[...sessions.values()].map(({ principal }) => principal)].map((principal) => [
      principal.accessKeyId,
      principal,
    ]),
  );

  return {
    operator,
    list: () => [...byKey.values()],
    find: (accessKeyId) => byKey.get(accessKeyId),
    forRole(roleArn, service, context) {
      const session = sessions.get(roleArn);
      if (!session) throw new Error(`there is no role ${roleArn} in the graph`);
      const { allowed } = Policy.evaluate(session.trust, {
        action: "sts:AssumeRole",
        resource: roleArn,
        principal: { Service: service },
        context: { "aws:SourceAccount": graph.account, ...context },
      });
      if (!allowed) throw new Error(`the role ${roleArn} does not trust ${service}`);
      return session.principal;
    },
  };
}

/** Returns whether the principal's policies and the resource's policy allow the request, and logs a denial. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-id-rdp.html */
export function authorize(
  principal: Principal,
  ask: Policy.AccessRequest,
  log: Log,
  resourcePolicy: readonly Policy.Statement[] = [],
): AuthorizationResult {
  const decision = Policy.evaluate([...principal.statements, ...resourcePolicy], {
    ...ask,
    principal: { AWS: principal.arn },
    context: {
      "aws:PrincipalArn": principal.arn,
      "aws:PrincipalAccount": principal.arn.split(":")[4],
      // loopback counts as TLS: a policy that demands TLS is about the network
      "aws:SecureTransport": "true",
      ...ask.context,
    },
  });
  if (decision.allowed) return { ...decision, message: "" };
  log.denied({ principal: principal.label, action: ask.action, resource: ask.resource });
  return { ...decision, message: denialMessage(principal, ask, decision) };
}

/** AWS's message. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html */
function denialMessage(
  principal: Principal,
  ask: Policy.AccessRequest,
  { explicitDeny }: Policy.Decision,
): string {
  const why = explicitDeny
    ? "with an explicit deny in a policy"
    : `because no identity-based policy allows the ${ask.action} action`;
  return `User: ${principal.arn} is not authorized to perform: ${ask.action} on resource: ${ask.resource} ${why}`;
}

type RoleSession = { principal: Principal; trust: Policy.Statement[] };

type Role = Resource<"aws:iam/role:Role">;

function createRoleSession(
  graph: ResourceGraph,
  role: Role,
  credentials: GetCredentials,
): RoleSession {
  const name = roleName(role);
  const lambda = resourcesOf(graph, "aws:lambda/function:Function").find(
    (candidate) => candidate.inputs.role === role.outputs.arn,
  );
  const source = lambda && graph.functions[lambda.outputs.arn];
  const label = source?.name ?? logicalName(graph, role);
  return {
    trust: Policy.parse(role.inputs.assumeRolePolicy, `the trust policy of ${name}`),
    principal: {
      // Lambda names the session after the function
      arn: `arn:aws:sts::${graph.account}:assumed-role/${name}/${lambda?.inputs.name ?? label}`,
      label,
      ...credentials(role.outputs.arn, "ASIA"),
      statements: statementsOfRole(graph, role),
    },
  };
}

function statementsOfRole(graph: ResourceGraph, role: Role): Policy.Statement[] {
  const name = roleName(role);
  const isHere = ({ inputs }: { inputs: { role: string | { id: string } } }) =>
    [name, role.id, role.outputs.arn].includes(
      typeof inputs.role === "string" ? inputs.role : inputs.role.id,
    );

  const inline = (role.inputs.inlinePolicies ?? []).flatMap((policy) =>
    // Pulumi writes "no inline policies" as an empty block
    policy.policy ? Policy.parse(policy.policy, `the policy ${policy.name} of ${name}`) : [],
  );
  const own = resourcesOf(graph, "aws:iam/rolePolicy:RolePolicy")
    .filter(isHere)
    .flatMap((policy) => Policy.parse(policy.inputs.policy, policy.name));
  const attached = resourcesOf(graph, "aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    .filter(isHere)
    .map(({ inputs }) => inputs.policyArn);
  const managed = new Set<string>([...(role.inputs.managedPolicyArns ?? []), ...attached]);
  return [
    ...inline,
    ...own,
    ...[...managed].flatMap((arn) => statementsOfManagedPolicy(graph, arn, name)),
  ];
}

function statementsOfManagedPolicy(
  graph: ResourceGraph,
  arn: string,
  role: string,
): Policy.Statement[] {
  const own = resourcesOf(graph, "aws:iam/policy:Policy").find(
    ({ outputs }) => outputs.arn === arn,
  );
  if (own) return Policy.parse(own.inputs.policy, own.name);
  const actions = awsManagedPolicies[arn.replace(/^arn:aws[\w-]*:iam::aws:policy\//, "")];
  if (!actions)
    throw new StartError(
      `The managed policy ${arn} of the role ${role} is not known to the local cloud: attach a policy of your own, or add it to awsManagedPolicies in iam/principals.ts`,
    );
  return [{ Effect: "Allow", Action: actions, Resource: "*" }];
}

/** https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html, those that a graph of functions and gateways attaches. */
const awsManagedPolicies: Record<string, string[]> = {
  "service-role/AWSLambdaBasicExecutionRole": [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
  ],
  AWSXRayDaemonWriteAccess: [
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries",
  ],
  "service-role/AmazonAPIGatewayPushToCloudWatchLogs": [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "logs:GetLogEvents",
    "logs:FilterLogEvents",
  ],
};

const roleName = (role: Role): string =>
  role.inputs.name ?? role.outputs.arn.split("/").at(-1) ?? role.id;

type Keys = Pick<Principal, "accessKeyId" | "secretAccessKey" | "sessionToken">;
type GetCredentials = (arn: string, prefix: "AKIA" | "ASIA") => Keys;

/** Keeps credentials over restarts, so that a URL that was presigned before a restart is valid after it. */
function openCredentialStore(db: DatabaseSync): GetCredentials {
  db.exec(`CREATE TABLE IF NOT EXISTS identity_credentials (
    arn TEXT PRIMARY KEY, access_key_id TEXT NOT NULL UNIQUE, secret_access_key TEXT NOT NULL, session_token TEXT
  ) STRICT`);
  const insert = db.prepare(
    "INSERT INTO identity_credentials VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
  );
  const select = db.prepare("SELECT * FROM identity_credentials WHERE arn = ?");

  return (arn, prefix) => {
    // AWS's key ids are base 32 in capital letters
    const id = Array.from(randomBytes(16), (byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte % 32]);
    const token = prefix === "ASIA" ? randomBytes(48).toString("base64") : null;
    insert.run(arn, prefix + id.join(""), randomBytes(30).toString("base64"), token);
    const row = select.get(arn) as Record<string, string | null>;
    return {
      accessKeyId: String(row.access_key_id),
      secretAccessKey: String(row.secret_access_key),
      ...(row.session_token ? { sessionToken: row.session_token } : {}),
    };
  };
}
