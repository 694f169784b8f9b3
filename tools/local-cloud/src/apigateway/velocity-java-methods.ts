/** Returns a copy of a JSON value whose objects print as Java maps, `{a=1}`, and whose lists print as JSON. [V-AWS] */
export function toJavaValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const isList = Array.isArray(value);
  const copy: object = isList ? value.map(toJavaValue) : mapObject(value);
  const printJavaList = isList ? () => JSON.stringify(value) : () => printMap(copy);
  return Object.defineProperty(copy, "toString", { value: printJavaList, enumerable: false });
}

const entry = (key: string, value: unknown) =>
  Object.defineProperty({ key, value }, "toString", {
    value: () => `${key}=${text(value)}`,
    enumerable: false,
  });

const mapObject = (value: object) =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJavaValue(inner)]));

const printMap = (map: object) =>
  `{${Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ")}}`;

/** Returns how Java prints a list that a template created: `[a, b]`. */
export const printJavaList = (list: unknown[]): string => `[${list.map(text).join(", ")}]`;

const text = (value: unknown): string =>
  Array.isArray(value) && !Object.hasOwn(value, "toString") ? printJavaList(value) : String(value);

type Call = { property: string; context: unknown; params: unknown[] };

const method = (
  property: string,
  accepts: (context: unknown) => boolean,
  resolve: (context: never, ...params: never[]) => unknown,
) => ({
  uid: `java ${property}`,
  match: (call: Call) => call.property === property && accepts(call.context),
  resolve: (call: Call) => resolve(call.context as never, ...(call.params as never[])),
});

const isText = (context: unknown) => typeof context === "string";
const isList = (context: unknown) => Array.isArray(context);
const isMap = (context: unknown) =>
  typeof context === "object" && context !== null && !Array.isArray(context);

// methods of Java's String, List and Map that velocityjs lacks or that JavaScript names differently
export const javaMethods = [
  method("isEmpty", isText, (text: string) => text === ""),
  method("length", isText, (text: string) => text.length),
  method("equals", isText, (text: string, other: unknown) => text === other),
  method(
    "equalsIgnoreCase",
    isText,
    (text: string, other: string) => text.toLowerCase() === other.toLowerCase(),
  ),
  method("contains", isText, (text: string, part: string) => text.includes(part)),
  method("matches", isText, (text: string, regex: string) =>
    new RegExp(`^(?:${regex})$`).test(text),
  ),
  method("replaceAll", isText, (text: string, regex: string, by: string) =>
    text.replace(new RegExp(regex, "g"), by),
  ),
  // replaces every occurrence; the argument is not a regular expression
  method("replace", isText, (text: string, part: string, by: string) =>
    text.replaceAll(part, () => by),
  ),
  method("replaceFirst", isText, (text: string, regex: string, by: string) =>
    text.replace(new RegExp(regex), by),
  ),
  method("split", isText, (text: string, regex: string) => text.split(new RegExp(regex))),
  method("isEmpty", isList, (list: unknown[]) => list.length === 0),
  method("contains", isList, (list: unknown[], item: unknown) => list.includes(item)),
  // returns true like Java, which a template prints unless it writes `$!`
  method("add", isList, (list: unknown[], item: unknown) => list.push(item) > 0),
  method("put", isMap, (map: Record<string, unknown>, key: string, value: unknown) => {
    const before = map[key];
    map[key] = value;
    return before;
  }),
  method("putAll", isMap, (map: object, other: object) => void Object.assign(map, other)),
  method("entrySet", isMap, (map: object) =>
    Object.entries(map).map(([key, value]) => entry(key, value)),
  ),
  method("isEmpty", isMap, (map: object) => Object.keys(map).length === 0),
  method("containsKey", isMap, (map: object, key: string) => Object.hasOwn(map, key)),
  method("values", isMap, (map: object) => Object.values(map)),
];
