/** How the pages look that people see who follow a link in a message. */

import { createHash } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";

export interface Page {
  readonly title: string;
  readonly text: string;
  /** Shown below the text, one a line. */
  readonly commands?: readonly string[];
  /** A button that sends a POST. */
  readonly button?: {
    readonly label: string;
    /** Path and query; part of this site. */
    readonly action: string;
  };
  /** Where else to look. */
  readonly links?: readonly {
    readonly label: string;
    /** Path of this site, or a URL. */
    readonly path: string;
  }[];
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Only people come here: errors are pages, too. */
    alwaysPage?: boolean;
  }
}

/** Whether a person's browser asks; API clients do not ask for HTML. */
export function acceptsPages(request: FastifyRequest): boolean {
  return (
    request.routeOptions.config.alwaysPage === true ||
    request.headers.accept?.includes("text/html") === true
  );
}

export function sendPage(reply: FastifyReply, page: Page): FastifyReply {
  return reply
    .headers(pageHeaders)
    .header("content-type", "text/html; charset=utf-8")
    .send(renderPage(page));
}

const style =
  "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;color:#1c2430;background:#fff}h1{font-size:1.4rem}p,pre{overflow-wrap:anywhere}pre{white-space:pre-wrap}button{font:inherit;padding:.6rem 1.4rem;border:0;border-radius:.4rem;background:#14532d;color:#fff;cursor:pointer}";

const styleHash = createHash("sha256").update(style).digest("base64");

const pageHeaders = {
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
  // The address holds the token.
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
};

function renderPage({
  title,
  text,
  commands = [],
  button,
  links = [],
}: Page): string {
  const form = button
    ? `<form method="post" action="${escapeHtml(button.action)}"><button type="submit">${escapeHtml(button.label)}</button></form>`
    : "";
  const lines = escapeHtml(commands.join("\n"));
  const list = links
    .map(
      ({ label, path }) =>
        `<li><a href="${escapeHtml(path)}">${escapeHtml(label)}</a></li>`,
    )
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(text)}</p>
${lines && `<pre>${lines}</pre>`}${form}${list && `<ul>${list}</ul>`}
</body>
</html>
`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
