import type { ProjectId } from "../ids.ts";

export interface Domain {
  readonly id: string;
  readonly name: string;
}

export interface Project {
  readonly id: ProjectId;
  readonly name: string;
  readonly domainId: string;
}

export interface User {
  readonly id: string;
  readonly name: string;
  readonly domainId: string;
  /** scrypt, as `scrypt$N$r$p$salt$hash`. */
  readonly passwordHash: string;
}

export interface AccessKey {
  readonly accessKey: string;
  /** AES-256-GCM, base64: signatures need the key itself, a hash would not do. */
  readonly encryptedSecret: string;
  readonly userId: string;
  readonly projectId: ProjectId;
}

export interface TokenRecord {
  /** SHA-256 of the token, hexadecimal. */
  readonly hash: string;
  readonly userId: string;
  /** Absent for unscoped tokens. */
  readonly projectId?: ProjectId;
  readonly methods: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface IdentityStore {
  putDomain(domain: Domain): Promise<void>;
  putProject(project: Project): Promise<void>;
  putUser(user: User): Promise<void>;
  putAccessKey(key: AccessKey): Promise<void>;
  findDomain(id: string): Promise<Domain | undefined>;
  findProject(id: string): Promise<Project | undefined>;
  listProjects(): Promise<readonly Project[]>;
  findUser(id: string): Promise<User | undefined>;
  findUserByName(domainId: string, name: string): Promise<User | undefined>;
  listDomains(): Promise<readonly Domain[]>;
  findAccessKey(accessKey: string): Promise<AccessKey | undefined>;
  putToken(token: TokenRecord): Promise<void>;
  findToken(hash: string): Promise<TokenRecord | undefined>;
  deleteToken(hash: string): Promise<void>;
  deleteExpiredTokens(now: number): Promise<number>;
  /** Small settings of the service itself (keys, certificates). */
  getSetting(name: string): Promise<string | undefined>;
  putSetting(name: string, value: string): Promise<void>;
}
