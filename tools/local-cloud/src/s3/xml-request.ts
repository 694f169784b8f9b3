import { SaxesParser } from "saxes";

export type Node = { name: string; text: string; children: Node[] };

/** Returns the root of a request document; undefined if it is not well-formed, nested too deeply, or has a document type, which no S3 request needs. */
export function parse(source: string): Node | undefined {
  const document: Node = { name: "", text: "", children: [] };
  const open = [document];
  const addText = (text: string) => void (open.at(-1)!.text += text);
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("doctype", () => parser.fail("a document type is not allowed"));
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("opentag", ({ name }) => {
    const node: Node = { name, text: "", children: [] };
    open.at(-1)!.children.push(node);
    open.push(node);
    if (open.length > MAX_DEPTH + 1) throw parser.makeError("too deep");
  });
  parser.on("closetag", () => void open.pop());
  try {
    parser.write(source).close();
  } catch {
    return undefined;
  }
  return document.children[0];
}

/** The greatest depth of elements: the list of parts in a multipart completion has three levels. */
const MAX_DEPTH = 8;

export const child = (node: Node, name: string) => node.children.find((one) => one.name === name);
