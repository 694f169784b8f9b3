import { gateway } from "./gateway.ts";
import * as Settings from "./settings.ts";

const { plans } = Settings.of($app.stage);

/**
 * A usage plan for each of settings.ts, with one key that API Gateway draws: `aws apigateway get-api-key --include-value`
 * tells it to whoever may know. A key is a name for counting, no proof of who somebody is: it opens only what is open to
 * anyone. Needs the deployed stage. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
 */
export function meter() {
  for (const [plan, { rate, burst, quota }] of Object.entries(plans)) {
    const name = plan[0]!.toUpperCase() + plan.slice(1);
    gateway.addUsagePlan(`${name}Plan`, { throttle: { rate, burst }, quota }).addApiKey(name);
  }
}
