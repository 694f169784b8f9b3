/**
 * Compiles a route selection expression: `$request.body.a.b[0]`, with or without braces. @throws Error for other forms.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
 */
export function compile(expression: string): (body: unknown) => string | undefined {
  const path = /^\$(?:request\.body\.([\w.[\]-]+)|\{request\.body\.([\w.[\]-]+)\})$/.exec(
    expression,
  );
  if (!path) throw new Error(`the route selection expression ${expression} is not emulated`);
  const steps = (path[1] ?? path[2])!.split(/[.[\]]+/).filter((step) => step !== "");
  return (body) => {
    let value = body;
    for (const step of steps) {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, step))
        return undefined;
      value = (value as Record<string, unknown>)[step];
    }
    // only a string, number or boolean can be a route key
    if (typeof value === "string") return value;
    return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
  };
}
