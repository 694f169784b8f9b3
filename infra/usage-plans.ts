import { gateway } from "./gateway.ts";
import * as Settings from "./settings.ts";

const { plans } = Settings.ofStage($app.stage);

/**
 * Adds the usage plans of settings.ts, each with one API key that API Gateway generates; `aws apigateway get-api-key
 * --include-value` prints it. A key is for metering, not for authentication: it gives access only to what is public. Call it
 * after the stage is deployed. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html
 */
export function addUsagePlans() {
  for (const [plan, { rate, burst, quota }] of Object.entries(plans)) {
    const name = plan[0]!.toUpperCase() + plan.slice(1);
    gateway.addUsagePlan(`${name}Plan`, { throttle: { rate, burst }, quota }).addApiKey(name);
  }
}
