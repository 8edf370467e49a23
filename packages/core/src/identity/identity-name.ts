import { CarillonError } from "../errors.ts";

/**
 * Whether two names of domains, projects or users are the same: ASCII letters
 * count without their case. Keystone's databases of choice compare so (its
 * "Case-Insensitivity in keystone"), and clients write `Default` for `default`.
 */
export function isSameIdentityName(one: string, other: string): boolean {
  return foldIdentityName(one) === foldIdentityName(other);
}

/** The name as it is compared; what is shown keeps its case. */
export function foldIdentityName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

interface Named {
  readonly name: string;
  /** Names are unique in it; absent where they are so over all. */
  readonly domainId?: string;
}

/**
 * Those that a name stands for: in each domain the one of exactly that name, or
 * else all whose names are the same. Several of one domain were there before
 * names without regard to case were unique.
 */
export function filterNamed<Record extends Named>(
  records: readonly Record[],
  name: string,
): readonly Record[] {
  const exact = records.filter((record) => record.name === name);
  const domainIds = new Set(exact.map(({ domainId }) => domainId));
  return records.filter(
    (record) =>
      record.name === name ||
      (isSameIdentityName(record.name, name) &&
        !domainIds.has(record.domainId)),
  );
}

/** The only one that {@link filterNamed} finds; `undefined` for several. */
export function findNamed<Record extends Named>(
  records: readonly Record[],
  name: string,
): Record | undefined {
  const [one, ...others] = filterNamed(records, name);
  return others.length === 0 ? one : undefined;
}

/** The error of stores for a name that another record has. */
export function identityExists(
  kind: "domain" | "project" | "user",
  name: string,
): CarillonError {
  return new CarillonError(
    "IDENTITY_EXISTS",
    `There is a ${kind} "${name}" already.`,
  );
}
