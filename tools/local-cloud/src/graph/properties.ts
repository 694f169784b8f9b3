import * as z from "zod/mini";

// A resource type is a table of its properties. A property that is not in the table is not emulated: setting it stops the
// start, by its name. A property in the table is read, or `only` some values of it are known, or it is `ignored`.

export const optionalString = z.optional(z.string());
export const optionalNumber = z.optional(z.number());
export const optionalBoolean = z.optional(z.boolean());
export const optionalStrings = z.optional(z.array(z.string()));

/** A policy document: JSON text, or the object that it would hold. */
export const policyDocument = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** An object of which every property is known. */
export const object = z.strictObject;

/** A property that nothing here reads; `reason` says why it has no meaning on a laptop. */
export const ignored = (_reason: string) => z.optional(z.unknown());

type Value = string | number | boolean;

/** A property of which only these values are emulated. */
export const only = <const Values extends [Value, ...Value[]]>(...values: Values) =>
  z.optional(z.literal(values));

export const requiredOneOf = <const Values extends [string, ...string[]]>(...values: Values) =>
  z.literal(values);

const FOR_PEOPLE = "names and labels for people and bills";

/** Properties that most types have. A type that reads one of them says so after these. */
export const labels = {
  description: ignored(FOR_PEOPLE),
  name: optionalString,
  namePrefix: ignored(FOR_PEOPLE),
  region: ignored("a graph is of one region"),
  tags: ignored(FOR_PEOPLE),
  tagsAll: ignored(FOR_PEOPLE),
};

type Labels = typeof labels;

/** Returns the properties of a resource type: what a program sets, and what AWS adds. */
export const resourceType = <
  Inputs extends z.core.$ZodLooseShape,
  Outputs extends z.core.$ZodLooseShape,
>(
  inputs: Inputs,
  outputs: Outputs,
) => ({
  inputs: z.strictObject<Omit<Labels, keyof Inputs> & Inputs>({ ...labels, ...inputs }),
  outputs: z.object(outputs),
});
