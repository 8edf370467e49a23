import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { checkPublicUrl } from "./public-url.ts";

const day = 24 * 3_600_000;

test("without a public URL there is nothing to look at", async () => {
  assert.deepEqual(await checkPublicUrl(undefined, { instance: "ab" }), []);
});

test("a name that does not resolve is found", async () => {
  const findings = await checkPublicUrl("https://nowhere.invalid", {
    instance: "ab",
  });
  assert.equal(findings.length, 1);
  assert.equal(findings[0]?.result, "failed");
  assert.match(
    findings[0]?.found ?? "",
    /^nowhere\.invalid does not resolve \((ENOTFOUND|EAI_AGAIN)\)$/,
  );
});

test("this server, another one, and something else are told apart", async (t) => {
  const checked = async (body: string, instance: string | undefined = "ab") => {
    const server = createHttpServer((_, response) => response.end(body));
    const url = `http://127.0.0.1:${await listen(t, server)}/`;
    const findings = await checkPublicUrl(url, { instance });
    return Object.fromEntries(findings.map((it) => [it.check, it]));
  };
  const own = await checked('{"status":"ok","instance":"ab"}');
  assert.equal(own["public URL"]?.result, "ok");
  assert.equal(own.proxy, undefined);
  const other = await checked('{"status":"ok","instance":"cd"}');
  assert.equal(other["public URL"]?.result, "failed");
  assert.match(other["public URL"]?.found ?? "", /another Carillon answers/);
  const page = await checked("<html>");
  assert.match(page["public URL"]?.found ?? "", /something else answers/);
  const trusted = '{"instance":"ab","proxy":"trusted"}';
  assert.equal((await checked(trusted)).proxy?.result, "ok");
  const { proxy } = await checked('{"instance":"ab","proxy":"untrusted"}');
  assert.equal(proxy?.result, "warning");
  assert.match(proxy?.advice ?? "", /set trustedProxies/);
});

test("a public URL that does not answer fails while the server runs", async (t) => {
  const server = createServer();
  const port = await listen(t, server);
  server.close();
  const url = `http://127.0.0.1:${port}`;
  const resultOf = async (instance: string | undefined) =>
    (await checkPublicUrl(url, { instance })).at(-1)?.result;
  assert.equal(await resultOf("ab"), "failed");
  assert.equal(await resultOf(undefined), "skipped");
});

test("the clock of a proxy that sets its own time is compared", async (t) => {
  const server = createHttpServer((_, response) => {
    response.setHeader("date", new Date(0).toUTCString());
    response.end('{"instance":"ab"}');
  });
  const url = `http://127.0.0.1:${await listen(t, server)}`;
  const clock = (await checkPublicUrl(url, { instance: "ab" })).at(-1);
  assert.equal(clock?.check, "clock of the proxy");
  assert.equal(clock?.result, "failed");
});

test("a certificate is judged by its end, its name and who vouches for it", async (t) => {
  const serve = async (cert: string) =>
    listen(
      t,
      createHttpsServer({ key, cert }, (_, response) => {
        response.end('{"instance":"ab"}');
      }),
    );
  const check = async (
    port: number,
    options: { readonly ca?: string; readonly now?: number } = {},
    host = "localhost",
  ) =>
    (
      await checkPublicUrl(`https://${host}:${port}`, {
        instance: "ab",
        ...options,
      })
    ).find((it) => it.check === "public certificate");
  const port = await serve(good);
  const trusted = await check(port, { ca: good });
  assert.equal(trusted?.result, "ok");
  assert.equal(trusted?.found, "good until 2120-01-01");
  const soon = await check(port, {
    ca: good,
    now: Date.UTC(2120, 0, 1) - 13 * day,
  });
  assert.equal(soon?.result, "warning");
  const selfSigned = await check(port);
  assert.equal(selfSigned?.result, "failed");
  assert.match(selfSigned?.found ?? "", /do not trust .*SELF_SIGNED/);
  const otherName = await check(port, { ca: good }, "127.0.0.1");
  assert.match(otherName?.found ?? "", /ERR_TLS_CERT_ALTNAME_INVALID/);
  const ended = await check(await serve(expired), { ca: expired });
  assert.equal(ended?.result, "failed");
  assert.match(ended?.found ?? "", /ended on 2020-02-01/);
  const plain = await check(await listen(t, createHttpServer()));
  assert.match(plain?.found ?? "", /speaks no TLS/);
});

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  t.after(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Of both certificates, for this test alone. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/80z4D36WhO6HU/o
FQB4VWMMnkQcy44fAWuwMuTUG6yhRANCAAT+H5XL5Sh4AO+8MZ0aO1hGE5ZpY+y7
4XB03EDwAiSDtEekzhIltDiMteWN9HJqPmS8qvBRWRw/gmCYoEcssD4Q
-----END PRIVATE KEY-----
`;

/** For localhost, from 2020 to 2120. */
const good = `-----BEGIN CERTIFICATE-----
MIIBdDCCARqgAwIBAgIUVfhUY6OHrREhEwkiUXBpBWKgWPUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAx
MDAwMDAwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAT+H5XL5Sh4AO+8MZ0aO1hGE5ZpY+y74XB03EDwAiSDtEekzhIltDiM
teWN9HJqPmS8qvBRWRw/gmCYoEcssD4Qo0gwRjAUBgNVHREEDTALgglsb2NhbGhv
c3QwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUSwyrXg/v4qchmkhmQmdxoKt1
2pYwCgYIKoZIzj0EAwIDSAAwRQIhAPXYktMgFI6MFgm8MRfg0iGDtO79F2f7F3RD
aNXFuoDmAiAR1su5ZiiawVd9rng1M7HQK3XwpsddACVOrGlaocYz+Q==
-----END CERTIFICATE-----
`;

/** For localhost, January 2020. */
const expired = `-----BEGIN CERTIFICATE-----
MIIBczCCARigAwIBAgIUKujjcHk64ug4qHkgtXIAtfbF7nowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTIwMDEwMTAwMDAwMFoXDTIwMDIwMTAw
MDAwMFowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE/h+Vy+UoeADvvDGdGjtYRhOWaWPsu+FwdNxA8AIkg7RHpM4SJbQ4jLXl
jfRyaj5kvKrwUVkcP4JgmKBHLLA+EKNIMEYwFAYDVR0RBA0wC4IJbG9jYWxob3N0
MA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFEsMq14P7+KnIZpIZkJncaCrddqW
MAoGCCqGSM49BAMCA0kAMEYCIQDx/PJak4wH+Suq6nriCUHwTbjvXTdfrtWRvJ4m
RaQx8wIhAPG0Ii5W7toZ7oaNARIzlCRB4H2EKleLOl3EeMLklIm3
-----END CERTIFICATE-----
`;
