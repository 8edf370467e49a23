import assert from "node:assert/strict";
import type { TokenRecord } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { otherProjectId, projectId, start } from "./fixtures.ts";

const domain = { id: "d1", name: "default" };
const project = { id: projectId, name: "shop", domainId: "d1" };
const user = {
  id: "u1",
  name: "admin",
  domainId: "d1",
  passwordHash: "scrypt$1$2$3$c2FsdA$aGFzaA",
};
const accessKey = {
  accessKey: "AK1",
  encryptedSecret: "c2VjcmV0",
  userId: "u1",
  projectId,
};
const token: TokenRecord = {
  hash: "h1",
  userId: "u1",
  projectId,
  methods: ["password", "token"],
  issuedAt: start,
  expiresAt: start + 1000,
};

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
    assert.equal(await store.getSetting("certificate"), undefined);
  });

  test("puts a changed record in place of the one with its id", async (store) => {
    await store.putDomain(domain);
    await store.putProject(project);
    await store.putUser(user);
    await store.putAccessKey(accessKey);
    const renamed = { ...domain, name: "main" };
    const moved = { ...project, name: "store", domainId: "d2" };
    const changed = { ...user, passwordHash: "scrypt$1$2$3$eA$eQ" };
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
    const expiring = { ...unscoped, hash: "h2", expiresAt: start + 10 };
    const revoked = { ...token, hash: "h3" };
    for (const it of [token, expiring, revoked]) await store.putToken(it);
    assert.deepEqual(await store.findToken("h2"), expiring);
    await store.deleteToken("h3");
    assert.equal(await store.deleteExpiredTokens(start + 9), 0);
    assert.equal(await store.deleteExpiredTokens(start + 10), 1);
    assert.deepEqual(await store.findToken("h1"), token);
    assert.equal(await store.findToken("h2"), undefined);
    assert.equal(await store.findToken("h3"), undefined);
  });

  test("keeps the last value of a setting", async (store) => {
    await store.putSetting("certificate", "one");
    await store.putSetting("certificate", "two");
    assert.equal(await store.getSetting("certificate"), "two");
  });
}
