import { Compile, parse } from "velocityjs";

import { javaMethods, printJavaList } from "./velocity-java-methods.ts";

type Ast = ReturnType<typeof parse>;
type Node = Ast[number];
type Context = Record<string, unknown>;

/** The members of `$input`, `$util` and `$foreach`. */
type Known = Record<"input" | "util" | "foreach", string[]>;

/** Compiles a Velocity (VTL) template. @throws Error if it uses something that is not emulated and would render wrongly. */
export function compile(text: string, known: Known): (context: Context) => string {
  // velocityjs parses the directive as a macro, which needs brackets
  const ast = parse(text.replace(/#stop\b(?!\()/g, "#stop()"));
  check(ast, known);
  return (context) =>
    new Renderer(ast, { escape: false, customMethodHandlers: javaMethods }).render(context);
}

function check(ast: Ast, known: Known) {
  const macros = new Set(["stop"]);
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    const { type, id, path } = node as { type?: string; id?: string; path?: { id?: unknown }[] };
    if (type === "macro") macros.add(id!);
    if (type === "macro_call" && !macros.has(id!))
      throw new Error(`#${id} in a template is not emulated`);
    const member = path?.[0]?.id;
    const members = known[id as keyof Known] as string[] | undefined;
    if (type === "references" && members && typeof member === "string" && !members.includes(member))
      throw new Error(`$${id}.${member} in a template is not emulated`);
    Object.values(node).forEach(visit);
  };
  visit(ast);
}

/** velocityjs with the differences of Java's Velocity and of API Gateway. */
class Renderer extends Compile {
  protected override getReferences(node: Node, isPrinted?: boolean) {
    const { id } = node as { id: string };
    // a missing member of `$context` prints nothing instead of itself [V-WILD]
    if (id === "context" && isPrinted) return (super.getReferences(node, false) ?? "") as string;
    const value: unknown = super.getReferences(node, isPrinted);
    if (!isPrinted || !Array.isArray(value)) return value as string;
    return Object.hasOwn(value, "toString") ? String(value) : printJavaList(value);
  }

  /** Integer division truncates. */
  protected override getExpression(node: Node): string {
    const { type, operator, expression } = node as {
      type: string;
      operator?: string;
      expression?: Ast;
    };
    if (type !== "math" || operator !== "/") return super.getExpression(node);
    const [one, other] = expression!.map((each): unknown => this.getExpression(each));
    const quotient = Number(one) / Number(other);
    const isWhole = Number.isInteger(one) && Number.isInteger(other);
    return (isWhole ? Math.trunc(quotient) : quotient) as unknown as string;
  }

  /** `#break` and `#stop` end the block where they are, not at its end. */
  override renderAstList(nodes: Ast = this.asts, contextId?: string): string {
    let text = "";
    for (const node of nodes) {
      if (this.runState.break || this.runState.stop) break;
      text += super.renderAstList([node], contextId);
    }
    return text;
  }

  protected override getBlock(block: Ast): string {
    const text = super.getBlock(block);
    if ((block[0] as { type?: string }).type === "foreach") this.runState.break = false;
    return text;
  }
}
