import { gateway, restApi } from "./gateway.ts";
import { nameOf, routes } from "./routes.ts";
import * as Settings from "./settings.ts";

const { throttle, throttles } = Settings.ofStage($app.stage);

type Limit = { name: string; methodPath: string; rate: Settings.Rate };

/** The gateway takes each method's limit by itself; `*\/*` is the limit of each method that has none of its own. */
const limits: Limit[] = [
  { name: "ApiThrottle", methodPath: "*/*", rate: throttle },
  ...[...routes, { method: "PUT", path: "/s3", throttle: "upload" } as const].flatMap((route) => {
    const rate = route.throttle && throttles[route.throttle];
    if (!rate) return [];
    const methodPath = `${route.path.slice(1)}/${route.method}`;
    return [{ name: `ApiThrottle${nameOf(route)}`, methodPath, rate }];
  }),
];

/** Limits the requests per second of each method. Call it after the stage is deployed. */
export function addThrottles() {
  let previous: aws.apigateway.MethodSettings | undefined;
  for (const { name, methodPath, rate } of limits)
    previous = new aws.apigateway.MethodSettings(
      name,
      {
        restApi: restApi.id,
        stageName: gateway.nodes.stage!.stageName,
        methodPath,
        settings: { throttlingRateLimit: rate.rate, throttlingBurstLimit: rate.burst },
      },
      // each one changes the stage, and API Gateway refuses two changes at once
      { dependsOn: previous ? [previous] : [] },
    );
}
