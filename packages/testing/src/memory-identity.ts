/** Projects, users, keys, tokens and settings of the in-memory store. */

import type {
  AccessKey,
  Domain,
  IdentityStore,
  Project,
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

  async putDomain(domain: Domain): Promise<void> {
    this.#domains.set(domain.id, domain);
  }

  async putProject(project: Project): Promise<void> {
    this.#projects.set(project.id, project);
  }

  async putUser(user: User): Promise<void> {
    this.#users.set(user.id, user);
  }

  async putAccessKey(key: AccessKey): Promise<void> {
    this.#accessKeys.set(key.accessKey, key);
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

  async listDomains(): Promise<readonly Domain[]> {
    return [...this.#domains.values()];
  }

  async findAccessKey(accessKey: string): Promise<AccessKey | undefined> {
    return this.#accessKeys.get(accessKey);
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

  async deleteExpiredTokens(now: number): Promise<number> {
    const expired = [...this.#tokens.values()].filter(
      (token) => token.expiresAt <= now,
    );
    for (const token of expired) this.#tokens.delete(token.hash);
    return expired.length;
  }

  async getSetting(name: string): Promise<string | undefined> {
    return this.#settings.get(name);
  }

  async putSetting(name: string, value: string): Promise<void> {
    this.#settings.set(name, value);
  }
}
