import type { Clock } from "../clock.ts";
import type { RequestContext } from "./types.ts";
import { GatewayError } from "./gateway-error.ts";

export type ApiKey = { id: string; value: string; enabled: boolean };

export type RateLimit = { rateLimit: number | undefined; burstLimit: number | undefined };

export type UsagePlan = {
  id: string;
  keys: Set<string>;
  /** By `apiId/stage`: the limits by `/path/METHOD`. */
  stages: Map<string, Map<string, RateLimit>>;
  throttle: RateLimit | undefined;
  quota: { limit: number; offset: number; period: "DAY" | "WEEK" | "MONTH" } | undefined;
};

/** Per-method limits of stages, by `apiId/stage` and then by method path (`*\/*`, `v1/images/GET`). */
export type MethodSettings = Map<string, Map<string, RateLimit>>;

export type UsagePlans = ReturnType<typeof createUsagePlans>;

/**
 * Checks API keys, quotas and rate limits, exactly and by the virtual clock. AWS is best effort and accepts more.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
 */
export function createUsagePlans(
  {
    keys,
    plans,
    methodSettings,
  }: { keys: ApiKey[]; plans: UsagePlan[]; methodSettings: MethodSettings },
  clock: Clock,
) {
  const byValue = new Map(keys.map((key) => [key.value, key]));
  const buckets = new Map<string, Bucket>();
  const counts = new Map<string, { window: number; used: number }>();

  return {
    /** Returns the usage plan of the request's API key. @throws GatewayError INVALID_API_KEY alike for a missing, unknown or disabled key and one without a plan of the stage. [V-WILD] */
    requireApiKey(context: RequestContext): UsagePlan {
      const { stage, apiKeyFromAuthorizer } = context;
      const value =
        stage.api.apiKeySource === "AUTHORIZER"
          ? apiKeyFromAuthorizer
          : context.header("x-api-key");
      const key = value === undefined ? undefined : byValue.get(value);
      const plan =
        key?.enabled &&
        plans.find(({ stages, keys }) => keys.has(key.id) && stages.has(stageKey(context)));
      if (!key || !plan) throw new GatewayError("INVALID_API_KEY");
      context.identity.apiKey = key.value;
      context.identity.apiKeyId = key.id;
      return plan;
    },

    /** Checks the limits of the client's method, the client and the stage's method. A throttled request does not use up the quota [choice]. @throws GatewayError THROTTLED or QUOTA_EXCEEDED */
    checkLimits(context: RequestContext, plan: UsagePlan | undefined) {
      const { method, httpMethod, stage, identity } = context;
      const stageId = stageKey(context);
      const client = plan && `${plan.id} ${identity.apiKeyId} ${stageId}`;
      if (plan && client) checkQuota(plan, client, false);
      if (plan && client) {
        const own = plan.stages.get(stageId)!;
        const path = `${method.resourcePath}/${httpMethod}`;
        const perMethod = own.get(path) ?? own.get(`${method.resourcePath}/ANY`);
        take(`${client} ${path}`, perMethod);
        take(client, plan.throttle);
      }
      const settings = methodSettings.get(stageId);
      if (settings) {
        const name = `${method.resourcePath.replace(/^\//, "")}/${httpMethod}`;
        const own = settings.get(name);
        const shared = own ?? settings.get("*/*");
        // `*/*` is a separate limit for each method
        take(`${stage.api.id}/${stage.name} ${name}`, shared);
      }
      if (plan && client) checkQuota(plan, client, true);
    },
  };

  function take(name: string, rate: RateLimit | undefined) {
    if (!rate || (rate.rateLimit ?? -1) < 0) return;
    const now = clock.now();
    const burst = Math.max(rate.burstLimit ?? 0, 0);
    const bucket = buckets.get(name) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(
      burst,
      bucket.tokens + (Math.max(0, now - bucket.at) / 1000) * rate.rateLimit!,
    );
    bucket.at = now;
    buckets.set(name, bucket);
    if (bucket.tokens < 1) throw new GatewayError("THROTTLED");
    bucket.tokens -= 1;
  }

  // periods are fixed and in UTC; how AWS aligns them is not documented
  function checkQuota({ quota }: UsagePlan, client: string, count: boolean) {
    if (!quota) return;
    const window = windowStart(clock.now(), quota.period);
    let state = counts.get(client);
    // `offset` is subtracted in the first period [V-DOC]
    if (!state) counts.set(client, (state = { window, used: quota.offset }));
    if (state.window !== window) Object.assign(state, { window, used: 0 });
    if (state.used >= quota.limit) throw new GatewayError("QUOTA_EXCEEDED");
    if (count) state.used++;
  }
}

type Bucket = { tokens: number; at: number };

const stageKey = ({ stage }: RequestContext) => `${stage.api.id}/${stage.name}`;

function windowStart(now: number, period: "DAY" | "WEEK" | "MONTH"): number {
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (period === "MONTH") return Date.UTC(year, month);
  return Date.UTC(year, month, period === "WEEK" ? day - date.getUTCDay() : day);
}
