import { createHash } from "node:crypto";

import { html, raw } from "hono/html";
import { marked } from "marked";

import { style } from "./docs-style.ts";
import type { Content, OpenApi, Operation, Parameter, Reference } from "./openapi.ts";

/** The page has no scripts, loads nothing, and allows only its own style sheet, by hash. */
export const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Must be exactly the text that the policy has the hash of. */
const styleSheet = raw(`<style>${style}</style>`);

/** The OpenAPI document as an HTML page. */
export async function page(api: OpenApi): Promise<string> {
  const groups = api.tags.map((tag) => ({ ...tag, operations: operationsOf(api, tag.name) }));
  const made = await html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${api.info.title} API</title>
        ${styleSheet}
      </head>
      <body>
        <nav aria-label="Contents">
          <a href="#top"><b>${api.info.title} API</b></a>
          ${groups.map(
            ({ name, operations }) =>
              html`<a href="#${name}"><b>${name}</b></a
                >${operations.map(({ id, method, path }) => html`<a href="#${id}"><i class="${method}">${method}</i> ${path}</a>`)}`,
          )}
          <a href="#access"><b>Access</b></a>
          <a href="#schemas"><b>Schemas</b></a>
        </nav>
        <main id="top">
          <h1>${api.info.title} API</h1>
          <p>
            Base: <code>${api.servers[0]?.url}</code> ·
            <a href="openapi.json">openapi.json</a> (OpenAPI ${api.openapi}), for client generators
          </p>
          ${prose(api.info.description)}
          ${groups.map(
            ({ name, description, operations }) =>
              html`<section id="${name}">
                <h2>${name}</h2>
                ${prose(description)} ${operations.map((operation) => article(api, operation))}
              </section>`,
          )}
          <section id="access">
            <h2>Access</h2>
            ${Object.entries(api.components.securitySchemes).map(
              ([name, { description }]) =>
                html`<h3 id="${name}">${names[name] ?? name}</h3>
                  ${prose(description)}`,
            )}
          </section>
          <section id="schemas">
            <h2>Schemas</h2>
            ${Object.entries(api.components.schemas).map(
              ([name, schema]) =>
                html`<details id="${name}">
                  <summary>${name}</summary>
                  <pre>${JSON.stringify(schema, null, 2)}</pre>
                </details>`,
            )}
          </section>
        </main>
      </body>
    </html>`;
  return made.toString();
}

type Listed = Operation & { id: string; method: string; path: string };

function operationsOf(api: OpenApi, tag: string): Listed[] {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      // HEAD is the same as GET, without the body
      .filter(([method, operation]) => method !== "head" && operation.tags.includes(tag))
      .map(([method, operation]) => ({ ...operation, id: operation.operationId, method, path })),
  );
}

function article(api: OpenApi, operation: Listed) {
  const { id, method, path, summary, description, security, requestBody, responses } = operation;
  const parameters = (operation.parameters ?? []).map((it) => parameterOf(api, it));
  const access = security.flatMap(Object.keys);
  return html`<article id="${id}">
    <h3><i class="${method}">${method}</i> <code>${path}</code></h3>
    <p>
      <b>${summary}</b
      >${access.map((name) => html` · <a href="#${name}">${names[name] ?? name}</a>`)}
    </p>
    ${prose(description ?? "")}
    ${
      parameters.length > 0
        ? html`<table>
            <tbody>
              ${parameters.map(row)}
            </tbody>
          </table>`
        : ""
    }
    ${requestBody ? html`<p>Body: ${contentOf(requestBody.content)}</p>` : ""}
    <table>
      <tbody>
        ${Object.entries(responses).map(([status, response]) =>
          "$ref" in response
            ? ""
            : html`<tr>
                <th>${status}</th>
                <td>
                  ${prose(response.description)}${response.content && status < "400" ? html`<p>${contentOf(response.content)}</p>` : ""}
                </td>
              </tr>`,
        )}
      </tbody>
    </table>
  </article>`;
}

const row = ({ name, in: where, required, description, schema }: Parameter) =>
  html`<tr>
    <th><code>${name}</code></th>
    <td>${where}${required ? ", required" : ""}</td>
    <td>${prose(description ?? "")}<code>${written(schema)}</code></td>
  </tr>`;

function parameterOf(api: OpenApi, it: Parameter | Reference): Parameter {
  if (!("$ref" in it)) return it;
  return api.components.parameters[it.$ref.split("/").at(-1)!]!;
}

/** The content types of a body, each with its schema if it has one. */
const contentOf = (content: Content) =>
  Object.entries(content).map(
    ([type, { schema }]) =>
      html`<code>${type}</code> ${schema ? html`<code>${written(schema)}</code>` : ""} `,
  );

/** A schema in one line, with components by name. */
function written(schema: object): string {
  const text = JSON.stringify(schema).replace(/\{"\$ref":"#\/components\/schemas\/(\w+)"\}/g, "$1");
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

/** Renders Markdown as HTML; it is not escaped, because all of it is from our own document. */
const prose = (text: string) => raw(marked.parse(text, { async: false }));

const names: Record<string, string> = {
  idToken: "signed in",
  apiKey: "API key",
  awsSignature: "AWS signature",
};
