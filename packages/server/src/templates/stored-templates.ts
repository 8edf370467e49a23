/** Templates of stored messages with all they need of this machine. */

import {
  type Clock,
  createStoredTemplates,
  type HtmlCheck,
  loadOnce,
  type StoredTemplatePorts,
  type StoredTemplates,
  type TemplateEngine,
  type TemplateHooks,
} from "@carillon/core";
import { analyze } from "@carillon/gateway";
import type { LiveSettings } from "../live-settings.ts";
import {
  readBaseFile,
  toMailTemplateOptions,
} from "./mail-template-settings.ts";

/** What code brings of its own. */
export interface TemplateParts {
  /** In place of Liquid. */
  readonly engine?: TemplateEngine | undefined;
  readonly hooks?: TemplateHooks | undefined;
}

export function openStoredTemplates(
  {
    store,
    clock,
    settings,
    mailRules,
  }: {
    readonly store: StoredTemplatePorts["store"];
    readonly clock: Clock;
    readonly settings: LiveSettings;
    readonly mailRules: StoredTemplatePorts["mailRules"];
  },
  { engine = lazyEngine(clock), hooks }: TemplateParts = {},
): StoredTemplates {
  let mails = toMailTemplateOptions(settings.get().email);
  let baseFiles = new Map<string, string>();
  settings.onChange(({ email }) => () => {
    mails = toMailTemplateOptions(email);
    baseFiles = new Map();
  });
  return createStoredTemplates({
    store,
    clock,
    engine,
    htmlCheck: lazyHtmlCheck(),
    mailRules,
    hooks,
    mails: () => mails,
    async readBaseFile(file) {
      const text = baseFiles.get(file) ?? readBaseFile(file);
      baseFiles.set(file, text);
      return text;
    },
    analyzeText(text) {
      const { encoding, segments, units } = analyze(text);
      return { encoding, segments, characters: units };
    },
  });
}

/** Most servers render nothing; those that do load the engine with the first. */
function lazyEngine(clock: Clock): TemplateEngine {
  const load = loadOnce(async () => {
    const { createLiquidEngine } = await import("./liquid-engine.ts");
    return createLiquidEngine(clock);
  });
  return {
    check: async (source) => (await load()).check(source),
    render: async (source, context, options) =>
      (await load()).render(source, context, options),
  };
}

function lazyHtmlCheck(): HtmlCheck {
  const load = loadOnce(() => import("./html-tags.ts"));
  return {
    findProblem: async (html, tags, kind) =>
      (await load()).findProblem(html, tags, kind),
  };
}
