import { StartError } from "../start-error.ts";

/** Returns what a target receives of an event. */
export type Transform = (event: object) => string;

type InputTransformer = {
  inputPaths?: Record<string, string> | undefined;
  inputTemplate: string;
};

/**
 * Returns the transformation of a target; without one the target receives the event itself.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
 *
 * @throws StartError for a path that is more than names with dots between, and for a variable that has no path
 */
export function transformOf(transformer: InputTransformer | undefined, target: string): Transform {
  if (!transformer) return (event) => JSON.stringify(event);
  const { inputPaths = {}, inputTemplate } = transformer;
  for (const path of Object.values(inputPaths))
    if (!/^\$(\.[\w-]+)+$/.test(path))
      throw new StartError(`The path ${path} of the event target ${target} is not emulated.`);
  for (const [, name] of inputTemplate.matchAll(VARIABLE))
    if (!Object.hasOwn(inputPaths, name!))
      throw new StartError(`The event target ${target} has no path for the variable <${name}>.`);
  return (event) =>
    inputTemplate.replace(VARIABLE, (_, name: string, offset: number) => {
      const value = valueAt(event, inputPaths[name]!);
      const text = JSON.stringify(value ?? "");
      // within a string the template has the quotes
      const isInString = inputTemplate[offset - 1] === '"';
      return isInString && text.startsWith('"') ? text.slice(1, -1) : text;
    });
}

const VARIABLE = /<([\w-]+)>/g;

function valueAt(event: object, path: string): unknown {
  let value: unknown = event;
  for (const name of path.split(".").slice(1))
    value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}
