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
