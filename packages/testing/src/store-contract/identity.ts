import assert from "node:assert/strict";
import {
  type ProjectId,
  SharedSetting,
  type StoredTemplate,
  type TokenRecord,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTemplate,
  addTopic,
  after,
  everything,
  freshId,
  newTemplate,
  newTopic,
  noQuota,
  otherProjectId,
  projectId,
  start,
} from "./fixtures.ts";

const domain = { id: "d1", name: "default" };
const project = { id: projectId, name: "shop", domainId: "d1" };
const user = {
  id: "u1",
  name: "admin",
  domainId: "d1",
  passwordHash: "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$aGFzaA",
  role: "admin" as const,
  projectIds: [projectId],
};
const accessKey = {
  accessKey: "AK1",
  encryptedSecret: "c2VjcmV0",
  userId: "u1",
  projectId,
  createdAt: start,
};
const token: TokenRecord = {
  hash: "h1",
  userId: "u1",
  projectId,
  methods: ["password", "token"],
  issuedAt: start,
  expiresAt: after(1000),
};

const storedTemplate: StoredTemplate = {
  channel: "email",
  slug: "welcome",
  body: "Welcome",
  isActive: true,
  isLocked: false,
  allowsDuplicates: true,
  isStrict: false,
  attachments: [
    { name: "a.txt", contentType: "text/plain", content: Uint8Array.of(1) },
  ],
  createdAt: start,
  changedAt: start,
};

const suppression = {
  key: "ann@example.com",
  address: "Ann@example.com",
  reason: "manual",
  at: start,
} as const;

export function testIdentity({ test }: Cases): void {
  test("keeps domains, projects, users and access keys", async (store) => {
    await store.putDomain(domain);
    await store.putProject(project);
    await store.putUser(user);
    await store.putAccessKey(accessKey);
    assert.deepEqual(await store.findDomain("d1"), domain);
    assert.deepEqual(await store.findProject(projectId), project);
    assert.deepEqual(await store.findUser("u1"), user);
    assert.deepEqual(await store.findUserByName("d1", "admin"), user);
    assert.deepEqual(await store.findAccessKey("AK1"), accessKey);
  });

  test("finds nothing that was not put", async (store) => {
    await store.putUser(user);
    assert.equal(await store.findDomain("d1"), undefined);
    assert.equal(await store.findProject(projectId), undefined);
    assert.equal(await store.findUser("admin"), undefined);
    assert.equal(await store.findUserByName("d2", "admin"), undefined);
    assert.equal(await store.findAccessKey("AK1"), undefined);
    assert.equal(await store.findToken("h1"), undefined);
    assert.equal((await store.findSetting("certificate"))?.value, undefined);
  });

  test("puts a changed record in place of the one with its id", async (store) => {
    await store.putDomain(domain);
    await store.putProject(project);
    await store.putUser(user);
    await store.putAccessKey(accessKey);
    const renamed = { ...domain, name: "main" };
    const moved = { ...project, name: "store", domainId: "d2" };
    const changed = {
      ...user,
      passwordHash: "$argon2id$v=19$m=64,t=1,p=1$eA$eQ",
      role: "member" as const,
      projectIds: [],
    };
    const rotated = { ...accessKey, encryptedSecret: "bmV3" };
    await store.putDomain(renamed);
    await store.putProject(moved);
    await store.putUser(changed);
    await store.putAccessKey(rotated);
    assert.deepEqual(await store.listDomains(), [renamed]);
    assert.deepEqual(await store.listProjects(), [moved]);
    assert.deepEqual(await store.findUser("u1"), changed);
    assert.deepEqual(await store.findAccessKey("AK1"), rotated);
  });

  test("takes no name that another has already", async (store) => {
    await store.putDomain(domain);
    await store.putProject(project);
    await store.putUser(user);
    const other = { ...project, id: otherProjectId };
    await assert.rejects(store.putDomain({ ...domain, id: "d2" }), {
      code: "IDENTITY_EXISTS",
      message: 'There is a domain "default" already.',
    });
    await assert.rejects(store.putProject(other), {
      code: "IDENTITY_EXISTS",
      message: 'There is a project "shop" already.',
    });
    await assert.rejects(store.putUser({ ...user, id: "u2" }), {
      code: "IDENTITY_EXISTS",
      message: 'There is a user "admin" already.',
    });
    assert.equal(await store.findUser("u2"), undefined);
    await store.putDomain(domain);
    await store.putProject({ ...other, domainId: "d2" });
    await store.putUser({ ...user, id: "u2", domainId: "d2" });
    // Neither by a change of a record of its own.
    const taken = { code: "IDENTITY_EXISTS" };
    await assert.rejects(store.putProject({ ...other, domainId: "d1" }), taken);
    await assert.rejects(store.putUser({ ...user, id: "u2" }), taken);
    assert.equal((await store.findUser("u2"))?.domainId, "d2");
  });

  test("counts the writes of identities", async (store) => {
    assert.equal(await store.readIdentityVersion(), 0);
    await store.putDomain(domain);
    await store.putProject(project);
    await store.putUser(user);
    await store.putAccessKey(accessKey);
    assert.equal(await store.readIdentityVersion(), 4);
    await store.putToken(token, 9);
    await store.putSetting("a", "b", 0);
    assert.equal(await store.deleteDomain("d1"), false);
    const taken = store.putUser({ ...user, id: "u2" });
    await assert.rejects(taken, { code: "IDENTITY_EXISTS" });
    assert.equal(await store.readIdentityVersion(), 4);
    await store.deleteAccessKey("AK1");
    await store.deleteUser("u1");
    await store.deleteProject(projectId, start);
    await store.deleteDomain("d1");
    assert.equal(await store.readIdentityVersion(), 8);
  });

  test("refuses what was decided by another version", async (store) => {
    await store.putDomain(domain);
    await store.putProject(project);
    await store.putUser(user);
    await store.putAccessKey(accessKey);
    const changed = { code: "IDENTITY_CHANGED" };
    for (const expected of [0, 3, 5]) {
      for (const write of [
        () => store.putDomain({ ...domain, name: "x" }, expected),
        () => store.putProject({ ...project, name: "x" }, expected),
        () => store.putUser({ ...user, name: "x" }, expected),
        () => store.putAccessKey({ ...accessKey, userId: "x" }, expected),
        () => store.deleteAccessKey("AK1", expected),
        () => store.deleteUser("u1", expected),
        () => store.deleteProject(projectId, start, expected),
        () => store.deleteDomain("d1", expected),
      ]) {
        await assert.rejects(write(), changed);
      }
    }
    assert.deepEqual(await store.listDomains(), [domain]);
    assert.deepEqual(await store.listProjects(), [project]);
    assert.deepEqual(await store.listUsers(), [user]);
    assert.deepEqual(await store.listAccessKeys(), [accessKey]);
    await store.deleteAccessKey("AK1", 4);
    assert.deepEqual(await store.listAccessKeys(), []);
  });

  test("of writes by one version at once one counts", async (store) => {
    await store.putDomain(domain);
    for (let round = 0; round < 20; round++) {
      const version = await store.readIdentityVersion();
      const writes = Array.from({ length: 8 }, (_, n) =>
        n % 2
          ? store.putUser({ ...user, name: `${round}-${n}` }, version)
          : store.putDomain({ ...domain, name: `${round}-${n}` }, version),
      );
      const ends = await Promise.allSettled(writes);
      const kept = ends.filter(({ status }) => status === "fulfilled");
      assert.equal(kept.length, 1);
    }
  });

  test("names are the same whatever the case of ASCII letters", async (store) => {
    await store.putDomain({ ...domain, name: "Default" });
    await store.putProject({ ...project, name: "Shop" });
    await store.putUser({ ...user, name: "Ann" });
    assert.equal((await store.findUserByName("d1", "aNN"))?.name, "Ann");
    const other = { ...project, id: otherProjectId, name: "sHOP" };
    const taken = { code: "IDENTITY_EXISTS" };
    await assert.rejects(store.putDomain({ id: "d2", name: "dEFAULT" }), taken);
    await assert.rejects(store.putProject(other), taken);
    await assert.rejects(
      store.putUser({ ...user, id: "u2", name: "ann" }),
      taken,
    );
    await store.putUser({ ...user, name: "ann" });
    assert.equal((await store.findUserByName("d1", "Ann"))?.name, "ann");
  });

  test("keeps what is disabled until it is enabled", async (store) => {
    await store.putDomain({ ...domain, disabled: true });
    await store.putProject({ ...project, disabled: true });
    await store.putUser({ ...user, disabled: true });
    await store.putAccessKey({ ...accessKey, disabled: true });
    assert.equal((await store.findDomain("d1"))?.disabled, true);
    assert.equal((await store.findProject(projectId))?.disabled, true);
    assert.equal((await store.findUser("u1"))?.disabled, true);
    assert.equal((await store.findAccessKey("AK1"))?.disabled, true);
    await store.putUser(user);
    await store.putAccessKey(accessKey);
    assert.deepEqual(await store.findUser("u1"), user);
    assert.deepEqual(await store.findAccessKey("AK1"), accessKey);
  });

  test("keeps each assignment once, in order", async (store) => {
    const projectIds = [projectId, otherProjectId].sort();
    await store.putUser({
      ...user,
      projectIds: [...projectIds.toReversed(), projectId],
    });
    assert.deepEqual((await store.findUser("u1"))?.projectIds, projectIds);
  });

  test("deletes a user with its keys and tokens", async (store) => {
    for (const id of ["u1", "u2"]) {
      await store.putUser({ ...user, id, name: id });
      await store.putAccessKey({ ...accessKey, accessKey: id, userId: id });
      await store.putToken({ ...token, hash: id, userId: id }, 10);
    }
    await store.deleteUser("u1");
    assert.equal(await store.findUser("u1"), undefined);
    assert.equal(await store.findAccessKey("u1"), undefined);
    assert.equal(await store.findToken("u1"), undefined);
    assert.equal((await store.listUsers()).length, 1);
    assert.equal((await store.findUser("u2"))?.projectIds.length, 1);
    assert.ok(await store.findToken("u2"));
    await store.deleteTokens("u2");
    assert.equal(await store.findToken("u2"), undefined);
    await store.deleteUser("u1");
  });

  test("deletes a project with its keys, tokens and assignments", async (store) => {
    await store.putProject(project);
    const projectIds = [projectId, otherProjectId].sort();
    await store.putUser({ ...user, projectIds });
    await store.putAccessKey(accessKey);
    const other = { accessKey: "AK2", projectId: otherProjectId };
    await store.putAccessKey({ ...accessKey, ...other });
    await store.putToken(token, 10);
    await store.putToken(
      { ...token, hash: "h2", projectId: otherProjectId },
      10,
    );
    await store.deleteProject(projectId, start);
    assert.equal(await store.findProject(projectId), undefined);
    assert.deepEqual((await store.findUser("u1"))?.projectIds, [
      otherProjectId,
    ]);
    const keys = await store.listAccessKeys();
    assert.deepEqual(
      keys.map((key) => key.accessKey),
      ["AK2"],
    );
    assert.equal(await store.findToken("h1"), undefined);
    assert.ok(await store.findToken("h2"));
  });

  test("deletes no project that has topics", async (store) => {
    await store.putProject(project);
    await store.putAccessKey(accessKey);
    const { name } = await addTopic(store);
    await addTemplate(store);
    assert.equal(await store.deleteProject(projectId, start), false);
    assert.deepEqual(await store.findProject(projectId), project);
    assert.ok(await store.findAccessKey("AK1"));
    const { total } = await store.listTemplates(projectId, {}, everything);
    assert.equal(total, 1);
    assert.equal(await store.isDeletedProject(projectId), false);
    await store.deleteTopic(projectId, name, start);
    assert.equal(await store.deleteProject(projectId, start), true);
    assert.equal(await store.isDeletedProject(projectId), true);
  });

  test("deletes a project with its templates", async (store) => {
    await store.putProject(project);
    const { id, name } = await addTemplate(store);
    const other = await addTemplate(store, { projectId: otherProjectId });
    await store.deleteProject(projectId, start);
    assert.equal(await store.findTemplate(projectId, id), undefined);
    assert.deepEqual(await store.findTemplateVariants(projectId, name), []);
    assert.deepEqual(await store.listTemplates(projectId, {}, everything), {
      total: 0,
      items: [],
    });
    assert.deepEqual(await store.findTemplate(otherProjectId, other.id), other);
  });

  test("deletes a project with its templates of stored messages and its suppressed addresses", async (store) => {
    await store.putProject(project);
    const scope = { channel: "email", slug: "welcome" } as const;
    const order = { type: "order", id: "7" };
    const keys = [projectId, otherProjectId].map((projectId) => ({
      projectId,
      key: suppression.key,
    }));
    const add = async () => {
      for (const { projectId } of keys) {
        const condition = { kind: "absent" } as const;
        await store.putStoredTemplate(projectId, storedTemplate, condition, 9);
        await store.disallowObjects(projectId, scope, [order], start);
        await store.addEmailSuppression({ ...suppression, projectId });
      }
    };
    await add();
    await store.deleteProject(projectId, start);
    const count = async ({ projectId }: { projectId: ProjectId }) => [
      (await store.findStoredTemplate(projectId, scope))?.attachments?.length,
      await store.isDisallowed(projectId, scope, [order]),
      (await store.listEmailSuppressions(projectId, { limit: 9 })).length,
    ];
    const [own, other] = keys;
    assert.ok(own && other);
    assert.deepEqual(await count(own), [undefined, false, 0]);
    assert.deepEqual(await count(other), [1, true, 1]);
    const refused = { code: "PROJECT_DELETED" };
    await assert.rejects(
      store.disallowObjects(projectId, scope, [order], start),
      refused,
    );
    await assert.rejects(
      store.addEmailSuppression({ ...suppression, projectId }),
      refused,
    );
    // Made anew, it begins without them.
    await store.putProject(project);
    assert.deepEqual(await count(own), [undefined, false, 0]);
  });

  test("makes nothing in a project that was deleted", async (store) => {
    await store.putProject(project);
    await store.deleteProject(projectId, start);
    const refused = { code: "PROJECT_DELETED" };
    const subscriptionUser = {
      id: freshId(),
      projectId,
      domainId: "d1",
      name: "Ada",
      protocol: "email" as const,
      endpoint: "ada@example.com",
      remark: "",
      createdAt: start,
    };
    await assert.rejects(store.createTopic(newTopic(), noQuota), refused);
    await assert.rejects(store.createTemplate(newTemplate(), noQuota), refused);
    await assert.rejects(
      store.addSubscriptionUser(subscriptionUser, noQuota),
      refused,
    );
    await addTopic(store, { projectId: otherProjectId });
    // A start with that id in its configuration makes it anew.
    await store.putProject(project);
    assert.equal(await store.isDeletedProject(projectId), false);
    await addTopic(store);
    await addTemplate(store);
    assert.ok(await store.addSubscriptionUser(subscriptionUser, noQuota));
  });

  test("leaves no topic in a project that is deleted meanwhile", async (store) => {
    const seen = new Set<boolean>();
    for (let round = 0; round < 20; round++) {
      await store.putProject(project);
      const topic = newTopic();
      const create = () =>
        store.createTopic(topic, noQuota).then(
          () => "created",
          ({ code }) => code,
        );
      const remove = () => store.deleteProject(projectId, start);
      let isDeleted: boolean;
      let created: string;
      if (round % 2 === 0) {
        [created, isDeleted] = await Promise.all([create(), remove()]);
      } else {
        [isDeleted, created] = await Promise.all([remove(), create()]);
      }
      seen.add(isDeleted);
      assert.equal(created, isDeleted ? "PROJECT_DELETED" : "created");
      const { total } = await store.listTopics(projectId, {}, everything);
      assert.equal(total, isDeleted ? 0 : 1);
      const left = await store.findProject(projectId);
      assert.equal(left === undefined, isDeleted);
      await store.deleteTopic(projectId, topic.name, start);
    }
    assert.equal(seen.size, 2, "only one of them came first each time");
  });

  test("deletes a domain once it is empty", async (store) => {
    await store.putDomain(domain);
    await store.putProject(project);
    assert.equal(await store.deleteDomain("d1"), false);
    await store.deleteProject(projectId, start);
    await store.putUser(user);
    assert.equal(await store.deleteDomain("d1"), false);
    await store.deleteUser("u1");
    assert.equal(await store.deleteDomain("d1"), true);
    assert.deepEqual(await store.listDomains(), []);
  });

  test("lists all keys and users, oldest first", async (store) => {
    for (const id of ["b", "a"]) {
      await store.putUser({ ...user, id, name: id });
      await store.putAccessKey({ ...accessKey, accessKey: id });
    }
    const users = await store.listUsers();
    const keys = await store.listAccessKeys();
    assert.deepEqual(
      users.map(({ id }) => id),
      ["b", "a"],
    );
    assert.deepEqual(
      keys.map((key) => key.accessKey),
      ["b", "a"],
    );
    await store.deleteAccessKey("b");
    assert.equal((await store.listAccessKeys()).length, 1);
  });

  test("lists all domains and projects, oldest first", async (store) => {
    const second = { id: "d0", name: "second" };
    const other = { id: otherProjectId, name: "other", domainId: "d0" };
    for (const it of [domain, second]) await store.putDomain(it);
    for (const it of [project, other]) await store.putProject(it);
    assert.deepEqual(await store.listDomains(), [domain, second]);
    assert.deepEqual(await store.listProjects(), [project, other]);
  });

  test("keeps tokens until they are deleted or expire", async (store) => {
    const { projectId: _, ...unscoped } = token;
    const expiring = { ...unscoped, hash: "h2", expiresAt: after(10) };
    const revoked = { ...unscoped, domainId: "d1", hash: "h3" };
    for (const it of [token, expiring, revoked]) await store.putToken(it, 10);
    assert.deepEqual(await store.findToken("h2"), expiring);
    assert.deepEqual(await store.findToken("h3"), revoked);
    await store.deleteToken("h3");
    assert.equal(await store.deleteExpiredTokens(after(9)), 0);
    assert.equal(await store.deleteExpiredTokens(after(10)), 1);
    assert.deepEqual(await store.findToken("h1"), token);
    assert.equal(await store.findToken("h2"), undefined);
    assert.equal(await store.findToken("h3"), undefined);
  });

  test("ends the tokens that were got with a token with it", async (store) => {
    for (const [hash, firstHash] of [
      ["first"],
      ["derived", "first"],
      ["of derived", "first"],
      ["other"],
      ["of other", "other"],
    ] as const) {
      const it = { ...token, hash, ...(firstHash && { firstHash }) };
      await store.putToken(it, 10);
      assert.deepEqual(await store.findToken(hash), it);
    }
    await store.deleteToken("derived");
    assert.equal(await store.findToken("derived"), undefined);
    assert.ok(await store.findToken("first"));
    assert.ok(await store.findToken("of derived"));
    await store.deleteToken("first");
    assert.equal(await store.findToken("first"), undefined);
    assert.equal(await store.findToken("of derived"), undefined);
    assert.ok(await store.findToken("other"));
    assert.ok(await store.findToken("of other"));
  });

  test("keeps so many tokens that were got with one", async (store) => {
    await store.putToken({ ...token, hash: "first" }, 3);
    await store.putToken({ ...token, hash: "of another", firstHash: "x" }, 3);
    for (let i = 0; i < 6; i++) {
      const issuedAt = after(Math.min(i, 3));
      const it = { ...token, hash: `h${i}`, firstHash: "first", issuedAt };
      await store.putToken(it, 3);
      // Never the newest itself.
      assert.ok(await store.findToken(`h${i}`));
    }
    const kept = await Promise.all(
      ["first", "of another", "h0", "h1", "h2", "h3", "h4", "h5"].map(
        async (hash) => (await store.findToken(hash)) !== undefined,
      ),
    );
    assert.deepEqual(kept, [true, true, false, false, false, true, true, true]);
  });

  test("writes a setting in place of the version that is there, and of no other", async (store) => {
    const kept = () => store.findSetting("certificate");
    assert.equal(await store.putSetting("certificate", "none", 1), false);
    assert.equal(await kept(), undefined);
    assert.equal(await store.putSetting("certificate", "one", 0), true);
    assert.deepEqual(await kept(), { value: "one", version: 1 });
    for (const replaces of [0, 2]) {
      const written = await store.putSetting("certificate", "two", replaces);
      assert.equal(written, false);
    }
    assert.deepEqual(await kept(), { value: "one", version: 1 });
    assert.equal(await store.putSetting("certificate", "two", 1), true);
    assert.deepEqual(await kept(), { value: "two", version: 2 });
    assert.equal(await store.findSetting("another"), undefined);
  });

  test("lets one of the writers of a version at once succeed", async (store) => {
    for (const replaces of [0, 1, 2]) {
      const written = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          store.putSetting("certificate", `${replaces}-${n}`, replaces),
        ),
      );
      assert.equal(written.filter(Boolean).length, 1);
      assert.deepEqual(await store.findSetting("certificate"), {
        value: `${replaces}-${written.indexOf(true)}`,
        version: replaces + 1,
      });
    }
  });

  test("keeps every change of a setting that many make at once", async (store) => {
    const processes = Array.from(
      { length: 8 },
      () => new SharedSetting(store, "numbers"),
    );
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        processes[n % 8]?.change((value = "") => `${value} ${n}`),
      ),
    );
    const kept = (await store.findSetting("numbers"))?.value ?? "";
    const numbers = kept.trim().split(" ").map(Number);
    assert.equal(new Set(numbers).size, 40);
    assert.equal(numbers.length, 40);
  });
}
