/** Projects, users, keys, tokens and settings of the in-memory store. */

import type {
  AccessKey,
  Domain,
  IdentityStore,
  Project,
  ProjectId,
  TokenRecord,
  User,
} from "@carillon/core";

export class MemoryIdentity implements IdentityStore {
  readonly #domains = new Map<string, Domain>();
  readonly #projects = new Map<string, Project>();
  readonly #users = new Map<string, User>();
  readonly #accessKeys = new Map<string, AccessKey>();
  readonly #tokens = new Map<string, TokenRecord>();
  readonly #settings = new Map<string, string>();

  async putDomain(domain: Domain): Promise<boolean> {
    return putNamed(this.#domains, domain);
  }

  async putProject(project: Project): Promise<boolean> {
    return putNamed(this.#projects, project);
  }

  async putUser(user: User): Promise<boolean> {
    const projectIds = [...new Set(user.projectIds)].sort();
    return putNamed(this.#users, { ...user, projectIds });
  }

  async putAccessKey(key: AccessKey): Promise<void> {
    this.#accessKeys.set(key.accessKey, key);
  }

  async deleteDomain(id: string): Promise<boolean> {
    const members = [...this.#projects.values(), ...this.#users.values()];
    if (members.some(({ domainId }) => domainId === id)) return false;
    this.#domains.delete(id);
    return true;
  }

  async deleteProject(id: ProjectId): Promise<void> {
    this.#projects.delete(id);
    removeWhere(this.#accessKeys, ({ projectId }) => projectId === id);
    removeWhere(this.#tokens, ({ projectId }) => projectId === id);
    for (const user of this.#users.values()) {
      const projectIds = user.projectIds.filter((other) => other !== id);
      this.#users.set(user.id, { ...user, projectIds });
    }
  }

  async deleteUser(id: string): Promise<void> {
    this.#users.delete(id);
    removeWhere(this.#accessKeys, ({ userId }) => userId === id);
    await this.deleteTokens(id);
  }

  async deleteAccessKey(accessKey: string): Promise<void> {
    this.#accessKeys.delete(accessKey);
  }

  async findDomain(id: string): Promise<Domain | undefined> {
    return this.#domains.get(id);
  }

  async findProject(id: string): Promise<Project | undefined> {
    return this.#projects.get(id);
  }

  async listProjects(): Promise<readonly Project[]> {
    return [...this.#projects.values()];
  }

  async findUser(id: string): Promise<User | undefined> {
    return this.#users.get(id);
  }

  async findUserByName(
    domainId: string,
    name: string,
  ): Promise<User | undefined> {
    return [...this.#users.values()].find(
      (user) => user.domainId === domainId && user.name === name,
    );
  }

  async listUsers(): Promise<readonly User[]> {
    return [...this.#users.values()];
  }

  async listDomains(): Promise<readonly Domain[]> {
    return [...this.#domains.values()];
  }

  async findAccessKey(accessKey: string): Promise<AccessKey | undefined> {
    return this.#accessKeys.get(accessKey);
  }

  async listAccessKeys(): Promise<readonly AccessKey[]> {
    return [...this.#accessKeys.values()];
  }

  async putToken(token: TokenRecord): Promise<void> {
    this.#tokens.set(token.hash, token);
  }

  async findToken(hash: string): Promise<TokenRecord | undefined> {
    return this.#tokens.get(hash);
  }

  async deleteToken(hash: string): Promise<void> {
    this.#tokens.delete(hash);
  }

  async deleteTokens(userId: string): Promise<void> {
    removeWhere(this.#tokens, (token) => token.userId === userId);
  }

  async deleteExpiredTokens(now: number): Promise<number> {
    return removeWhere(this.#tokens, (token) => token.expiresAt <= now);
  }

  async getSetting(name: string): Promise<string | undefined> {
    return this.#settings.get(name);
  }

  async putSetting(name: string, value: string): Promise<void> {
    this.#settings.set(name, value);
  }
}

interface Named {
  readonly id: string;
  readonly name: string;
  readonly domainId?: string;
}

function putNamed<Record extends Named>(
  records: Map<string, Record>,
  record: Record,
): boolean {
  const isTaken = [...records.values()].some(
    ({ id, name, domainId }) =>
      id !== record.id && name === record.name && domainId === record.domainId,
  );
  if (!isTaken) records.set(record.id, record);
  return !isTaken;
}

/** Answers how many went. */
function removeWhere<Value>(
  records: Map<string, Value>,
  isMeant: (value: Value) => boolean,
): number {
  const meant = [...records].filter(([, value]) => isMeant(value));
  for (const [key] of meant) records.delete(key);
  return meant.length;
}
