/**
 * Runs plans: each puts a fault into a real server under load, and counts what
 * became of the messages.
 *
 *     npm run torture -- --plan kill --rounds 200
 */

import { parseArgs } from "node:util";
import type { Plan, PlanOptions, PlanReport } from "./plan.ts";
import { plans } from "./plans.ts";

const usage = `Usage: npm run torture -- [--plan NAME] [--rounds N] [--seconds N]
Puts faults into a real server under load and counts what became of the
messages. Exits 1 when a law was broken. Without --plan: all of them in turn.

  --plan NAME    one of those that --list names
  --rounds N     how often the fault is repeated
  --seconds N    how long the fault lasts
  --list         the plans
  --help         this`;

const { values } = parseArguments();
if (values.help) console.log(usage);
else if (values.list) list();
else process.exit(await runAll(choose(values.plan)));

function parseArguments() {
  try {
    return parseArgs({
      options: {
        plan: { type: "string" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        list: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function list(): void {
  const width = Math.max(...plans.map(({ name }) => name.length));
  for (const { name, summary, defaults } of plans) {
    const options = Object.entries(defaults).map(
      ([option, value]) => `, --${option} ${value}`,
    );
    console.log(`${name.padEnd(width)}  ${summary}${options.join("")}`);
  }
}

function choose(name: string | undefined): readonly Plan[] {
  if (name === undefined) return plans;
  const plan = plans.find((candidate) => candidate.name === name);
  if (plan) return [plan];
  const names = plans.map((candidate) => candidate.name).join(", ");
  return fail(`There is no plan "${name}"; there are ${names}.`);
}

/** Answers the exit code. */
async function runAll(chosen: readonly Plan[]): Promise<number> {
  const rounds = count("rounds", values.rounds);
  const seconds = count("seconds", values.seconds);
  const [only] = chosen;
  if (chosen.length === 1 && only) {
    if (rounds !== undefined && only.defaults.rounds === undefined) {
      fail(`The plan ${only.name} has no rounds.`);
    }
    if (seconds !== undefined && only.defaults.seconds === undefined) {
      fail(`The plan ${only.name} has no seconds.`);
    }
  }
  let held = true;
  for (const plan of chosen) {
    const report = await run(plan, {
      rounds: rounds ?? plan.defaults.rounds ?? 1,
      seconds: seconds ?? plan.defaults.seconds ?? 0,
      progress: (text) => console.log(`${plan.name}: ${text}`),
    });
    print(plan, report);
    held &&= report.broken.length === 0 && !isMissingInCi(report);
  }
  return held ? 0 : 1;
}

/** A plan that cannot go on has broken a law, too. */
async function run(plan: Plan, options: PlanOptions): Promise<PlanReport> {
  try {
    return await plan.run(options);
  } catch (error) {
    console.error(error);
    const words = error instanceof Error ? error.message : String(error);
    return { figures: {}, broken: [`the plan did not end: ${words}`] };
  }
}

/** Skipping is for machines that lack something; CI must not lack it. */
function isMissingInCi({ skipped }: PlanReport): boolean {
  return skipped !== undefined && process.env.CI !== undefined;
}

function print({ name }: Plan, { figures, broken, skipped }: PlanReport): void {
  if (skipped !== undefined) {
    console.log(`\nSKIPPED ${name}: ${skipped}\n`);
    return;
  }
  console.log(`\n${name}`);
  console.table(
    Object.fromEntries(
      Object.entries(figures).map(([what, figure]) => [what, { figure }]),
    ),
  );
  for (const law of broken) console.log(`BROKEN: ${law}`);
  console.log(broken.length === 0 ? "All laws held.\n" : "");
}

function count(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  return fail(`--${option} takes a whole number from 1, not "${text}".`);
}

function fail(sentence: string): never {
  console.error(`${sentence}\n\n${usage}`);
  process.exit(2);
}
