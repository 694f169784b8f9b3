import { type Box, Query, type Request, wholeBox } from "@balde/imaging/request.schema";
import * as z from "zod/mini";

/**
 * The request with each number brought to the nearest one that the grammar has: rounded to its digits, and not beyond its limits.
 * A page computes such numbers from what it measures (the width of an element, the ratio of its pixels), and a size
 * that is a little wrong is better than a page that does not render. A number that is none (`NaN`) is left out, with its parameter.
 */
export function nearestRequest(asked: Request): Request {
  return Object.fromEntries(
    Object.entries(asked)
      .map(([key, value]) => [key, nearestOf(key, value)])
      .filter(([, value]) => value !== undefined),
  ) as Request;
}

function nearestOf(key: string, value: unknown): unknown {
  if (key === "bg" && typeof value === "string") return hexadecimal(value);
  if (key === "rot" && typeof value === "number") return rotation(value);
  const codec = Object.hasOwn(Query.shape, key) && Query.shape[key as keyof Request].def.innerType;
  const schemas = codec instanceof z.ZodMiniCodec ? alternatives(codec.def.out) : [];
  if (typeof value === "number") {
    const schema = schemas.find((each) => each instanceof z.ZodMiniNumber);
    return schema ? nearestNumber(schema, value) : value;
  }
  const schema = schemas.find((each) => each instanceof z.ZodMiniObject);
  return schema && typeof value === "object" && value !== null
    ? nearestObject(schema, key === "crop" ? wholeBox(value as Box) : value)
    : value;
}

const alternatives = (schema: z.core.$ZodType): readonly z.core.$ZodType[] =>
  schema instanceof z.ZodMiniUnion ? schema.def.options : [schema];

type Greater = z.core.$ZodCheckGreaterThanInternals;
type Less = z.core.$ZodCheckLessThanInternals;
type Multiple = z.core.$ZodCheckMultipleOfInternals;

/** undefined if one of its numbers is none. */
function nearestObject(schema: z.ZodMiniObject, value: object): object | undefined {
  const near = Object.entries(value).map(([key, inner]) => {
    const number = schema.shape[key];
    return [
      key,
      number instanceof z.ZodMiniNumber && typeof inner === "number"
        ? nearestNumber(number, inner)
        : inner,
    ];
  });
  return near.some(([, inner]) => inner === undefined) ? undefined : Object.fromEntries(near);
}

function nearestNumber(schema: z.ZodMiniNumber, value: number): number | undefined {
  if (Number.isNaN(value)) return undefined;
  let [least, most, digits] = [-Infinity, Infinity, 0];
  for (const { _zod } of schema.def.checks ?? []) {
    if (_zod.def.check === "greater_than") least = Number((_zod as Greater).def.value);
    if (_zod.def.check === "less_than") most = Number((_zod as Less).def.value);
    if (_zod.def.check === "multiple_of")
      digits = Math.round(-Math.log10(Number((_zod as Multiple).def.value)));
  }
  const within = Math.min(most, Math.max(least, value));
  // without a number's last digits, so that -0 and 0.30000000000000004 are 0 and 0.3
  return Number(within.toFixed(digits)) + 0;
}

/** `screen.orientation` counts to 270, `window.orientation` from -90. */
const rotation = (degrees: number): number => (((degrees % 360) + 360) % 360) + 0;

/** A colour as CSS writes it: `#f00`, or `rgb(255, 0, 0)` and `rgba(255, 0, 0, 0.5)` as a browser computes them. */
function hexadecimal(colour: string): string {
  const channels = /^rgba?\(([\d.\s,/%]+)\)$/.exec(colour)?.[1]?.match(/[\d.]+%?/g);
  if (channels?.length !== 3 && channels?.length !== 4) {
    const read = z.safeDecode(Query.shape.bg.def.innerType, colour);
    return read.success ? read.data : colour;
  }
  return channels
    .map((text, index) => {
      const part = text.endsWith("%") ? Number.parseFloat(text) / 100 : undefined;
      const value = Number(text);
      return Math.round(255 * (part ?? (index === 3 ? value : value / 255)));
    })
    .map((value) => Math.min(255, value).toString(16).padStart(2, "0"))
    .join("");
}
