import { StartError } from "../start-error.ts";
import { logicalName, resourcesOf } from "../graph/resource-graph.ts";
import type { Dependencies } from "./dependencies.ts";
import type { ApiKey, MethodSettings, UsagePlan, RateLimit } from "./usage-plans.ts";

/** Returns the API keys, usage plans and per-method limits of the graph. @throws StartError for a key that AWS would refuse. */
export function compileUsage(dependencies: Pick<Dependencies, "graph" | "secret">) {
  const { graph } = dependencies;
  const keys: ApiKey[] = compileKeys(dependencies);
  const members = resourcesOf(graph, "aws:apigateway/usagePlanKey:UsagePlanKey");
  const plans = resourcesOf(graph, "aws:apigateway/usagePlan:UsagePlan").map(
    ({ id, inputs }): UsagePlan => ({
      id,
      keys: new Set(
        members
          .filter((member) => member.inputs.usagePlanId === id)
          .map(({ inputs }) => inputs.keyId),
      ),
      stages: new Map(
        (inputs.apiStages ?? []).map((stage) => [
          `${stage.apiId}/${stage.stage}`,
          new Map<string, RateLimit>(
            (stage.throttles ?? []).map((limit) => [limit.path, rate(limit)]),
          ),
        ]),
      ),
      throttle: inputs.throttleSettings && rate(inputs.throttleSettings),
      quota: inputs.quotaSettings && { offset: 0, ...inputs.quotaSettings },
    }),
  );
  refuseDoubleMembership(plans);

  const methodSettings: MethodSettings = new Map();
  for (const { inputs } of resourcesOf(graph, "aws:apigateway/methodSettings:MethodSettings")) {
    const stage = `${inputs.restApi}/${inputs.stageName}`;
    const limits = methodSettings.get(stage) ?? new Map<string, RateLimit>();
    limits.set(inputs.methodPath, {
      rateLimit: inputs.settings?.throttlingRateLimit,
      burstLimit: inputs.settings?.throttlingBurstLimit,
    });
    methodSettings.set(stage, limits);
  }
  return { keys, plans, methodSettings };
}

export function compileKeys({ graph, secret }: Pick<Dependencies, "graph" | "secret">) {
  return resourcesOf(graph, "aws:apigateway/apiKey:ApiKey").map((key) => {
    const value = key.inputs.value ?? key.outputs.value;
    const made = value?.startsWith("secret://") ? secret?.(value.slice("secret://".length)) : value;
    if (!made) throw new StartError(`The API key ${key.name} has no value in the graph.`);
    if (made.length < 20 || made.length > 128)
      throw new StartError(
        `The value of the API key ${key.name} is not 20 to 128 characters long.`,
      );
    return {
      id: key.id,
      name: logicalName(graph, key),
      value: made,
      enabled: key.inputs.enabled ?? true,
    };
  });
}

const rate = (limit: {
  rateLimit?: number | undefined;
  burstLimit?: number | undefined;
}): RateLimit => ({
  rateLimit: limit.rateLimit,
  burstLimit: limit.burstLimit,
});

// AWS refuses a key that is in two plans of one stage [V-DOC]
function refuseDoubleMembership(plans: UsagePlan[]) {
  const taken = new Set<string>();
  for (const { keys, stages } of plans)
    for (const key of keys)
      for (const stage of stages.keys()) {
        if (taken.has(`${key} ${stage}`))
          throw new StartError(`The API key ${key} is in two usage plans of the stage ${stage}.`);
        taken.add(`${key} ${stage}`);
      }
}
