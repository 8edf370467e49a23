import type { ProjectId } from "../ids.ts";
import type { EpochMs } from "../time.ts";

/** What is disabled works no longer, and may be enabled again. */
interface Disableable {
  /** Absent while it works. */
  readonly disabled?: true;
}

/** An account: projects and users belong to one, and do not leave it. */
export interface Domain extends Disableable {
  readonly id: string;
  /** Unique, as {@link isSameIdentityName} compares. */
  readonly name: string;
}

/** A project: the owner of topics, templates and messages. */
export interface Project extends Disableable {
  readonly id: ProjectId;
  /** Unique within the domain, as those of domains. */
  readonly name: string;
  readonly domainId: string;
}

/**
 * `member`: acts in the projects it is assigned to. `admin`: manages its
 * domain, and acts in each of its projects. `operator`: manages all domains
 * and the installation, and acts in each project.
 */
export type UserRole = "member" | "admin" | "operator";

/** Somebody who can log in, with the projects they may act in. */
export interface User extends Disableable {
  readonly id: string;
  /** Unique within the domain, as those of domains. */
  readonly name: string;
  readonly domainId: string;
  /** Argon2id, as `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
  readonly passwordHash: string;
  readonly role: UserRole;
  /** The projects it is assigned to, in order of their ids. */
  readonly projectIds: readonly ProjectId[];
}

/** A key by which a program signs its requests for a user, in one project. */
export interface AccessKey extends Disableable {
  readonly accessKey: string;
  /** AES-256-GCM, base64: signatures need the key itself, a hash would not do. */
  readonly encryptedSecret: string;
  readonly userId: string;
  readonly projectId: ProjectId;
  readonly createdAt: EpochMs;
}

/** A token as it is kept: not the token itself, but its hash. */
export interface TokenRecord {
  /** SHA-256 of the token, hexadecimal. */
  readonly hash: string;
  readonly userId: string;
  /** What it is good for: a project, a domain, or neither. */
  readonly projectId?: ProjectId;
  readonly domainId?: string;
  readonly methods: readonly string[];
  readonly issuedAt: EpochMs;
  readonly expiresAt: EpochMs;
  /**
   * The hash of the token that a password got, if this one was got with that, or
   * with another that was; absent for that one itself.
   */
  readonly firstHash?: string;
}

/** A small setting of the service itself (keys, certificates). */
export interface Setting {
  readonly value: string;
  /** Counts its writes, from 1. */
  readonly version: number;
}

/** Settings by name; see `SharedSetting` for how they are changed. */
export interface SettingStore {
  findSetting(name: string): Promise<Setting | undefined>;
  /**
   * Writes a setting in place of the version that was read, 0 when there was
   * none. Answers false, and writes nothing, when another is kept by now.
   */
  putSetting(name: string, value: string, replaces: number): Promise<boolean>;
}

/**
 * Lists answer the oldest first.
 *
 * Domains, projects, users and access keys have one version together. Each write
 * of one of them counts it up, in its own transaction. Whoever decides by what is
 * there (may this operator go?) reads the version before all else and gives it
 * as `expected`: the write counts only if nothing was written in between, by
 * whichever process. Without it a write always counts.
 */
export interface IdentityStore extends SettingStore {
  /** From 0; every write of domains, projects, users and access keys adds 1. */
  readIdentityVersion(): Promise<number>;
  /**
   * This and its siblings put a record in place of the one with its id. A name
   * is compared with those of others when it is new to the record: pairs that
   * differ only in case, of before that counted, can be changed.
   *
   * @throws CarillonError IDENTITY_EXISTS; IDENTITY_CHANGED when the version is
   * another than expected; then nothing is changed
   */
  putDomain(domain: Domain, expected?: number): Promise<void>;
  /** A project that was deleted is there again by this. */
  putProject(project: Project, expected?: number): Promise<void>;
  putUser(user: User, expected?: number): Promise<void>;
  putAccessKey(key: AccessKey, expected?: number): Promise<void>;
  /**
   * Answers false, and deletes nothing, while it has projects or users.
   *
   * @throws CarillonError IDENTITY_CHANGED, as all that delete
   */
  deleteDomain(id: string, expected?: number): Promise<boolean>;
  /**
   * Its access keys, tokens, assignments, templates and address book go with it,
   * and nothing is made in it any more: topics, templates and subscription users
   * are refused with PROJECT_DELETED. Answers false, and deletes nothing, while
   * it has topics.
   */
  deleteProject(
    id: ProjectId,
    at: EpochMs,
    expected?: number,
  ): Promise<boolean>;
  /** Whether there was a project of that id, which is gone. */
  isDeletedProject(id: string): Promise<boolean>;
  /** Its access keys and tokens go with it. */
  deleteUser(id: string, expected?: number): Promise<void>;
  deleteAccessKey(accessKey: string, expected?: number): Promise<void>;
  findDomain(id: string): Promise<Domain | undefined>;
  findProject(id: string): Promise<Project | undefined>;
  listProjects(): Promise<readonly Project[]>;
  findUser(id: string): Promise<User | undefined>;
  /** As {@link findNamed} does. */
  findUserByName(domainId: string, name: string): Promise<User | undefined>;
  listUsers(): Promise<readonly User[]>;
  listDomains(): Promise<readonly Domain[]>;
  listAccessKeys(): Promise<readonly AccessKey[]>;
  findAccessKey(accessKey: string): Promise<AccessKey | undefined>;
  /** Of those got with one token the newest `maxOfFirst` are kept. */
  putToken(token: TokenRecord, maxOfFirst: number): Promise<void>;
  findToken(hash: string): Promise<TokenRecord | undefined>;
  /** With those that were got with it, if a password got it. */
  deleteToken(hash: string): Promise<void>;
  /** All of a user's. */
  deleteTokens(userId: string): Promise<void>;
  deleteExpiredTokens(now: EpochMs): Promise<number>;
}
