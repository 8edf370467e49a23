/**
 * The pages that error texts of Notipy's clients name. In that service accounts
 * were managed there; here commands do it, and the pages say which.
 */

import type { HttpApp } from "../http-app.ts";
import { type Page, sendPage } from "../subscriber/page.ts";

/** As in the repository. */
const guide = {
  label: "Guide on pull subscribers",
  path: "https://github.com/carillon-dev/carillon/blob/main/docs/guides/pull.md",
};

const overview: Page = {
  title: "Publishers and subscribers",
  text: "Publishers send to those who follow their categories; subscribers fetch what was sent to them. Both have credentials of their own, which are managed by commands:",
  commands: [
    "carillon publisher --help",
    "carillon subscriber --help",
    "carillon pull --help",
  ],
  links: [
    { label: "Publishers", path: "/notifi/publishers" },
    { label: "Subscribers", path: "/notifi/subscribers/device" },
    { label: "Categories", path: "/notifi/categories" },
    guide,
  ],
};

const pages: Readonly<Record<string, Page>> = {
  "/": overview,
  "/subscribers": overview,
  "/publishers": {
    title: "Publishers",
    text: "A publisher sends with an id and a secret of its own. If a client says that they are wrong, they are of another server, the secret was replaced, or the publisher is disabled. These commands create one (the secret is shown once), list all, and give one another secret:",
    commands: [
      "carillon publisher create NAME",
      "carillon publisher list",
      "carillon publisher rotate-secret NAME",
    ],
  },
  "/subscribers/device": {
    title: "Subscribers",
    text: "A device receives as a subscriber, with an id and a secret of its own; those of a publisher do not work. These commands create one (the secret is shown once), let it follow a publisher, and give it another secret:",
    commands: [
      "carillon subscriber create NAME",
      "carillon subscriber follow NAME PUBLISHER",
      "carillon subscriber rotate-secret NAME",
    ],
  },
  "/categories": {
    title: "Categories",
    text: "A publisher's message goes to those who follow one of its categories, or to all of its subscribers with the category *. A category that does not exist reaches nobody. These commands add one, list them, and let a subscriber follow it:",
    commands: [
      "carillon publisher category add PUBLISHER CATEGORY",
      "carillon publisher category list PUBLISHER",
      "carillon subscriber follow NAME PUBLISHER CATEGORY",
    ],
  },
};

export function guidePageRoutes(app: HttpApp): void {
  for (const [path, page] of Object.entries(pages)) {
    app.get(path, { config: { alwaysPage: true } }, async (_, reply) =>
      sendPage(reply, { links: [guide], ...page }),
    );
  }
}
