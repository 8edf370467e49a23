import assert from "node:assert/strict";
import { test } from "node:test";
import { type Page, type PageRequest, paginate } from "./paging.ts";

type Fetch = (request: PageRequest) => Promise<Page<string>>;

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `n${i}`);
}

/** A list as a service keeps it, and the requests it got. */
function createList(items: string[], knowsMarker: boolean) {
  const requests: PageRequest[] = [];
  const fetchPage: Fetch = async (request) => {
    requests.push(request);
    const { limit, offset, marker } = request;
    let start = offset;
    if (knowsMarker && marker !== undefined) {
      const at = items.indexOf(marker);
      start = at < 0 ? items.length : at + 1;
    }
    return { items: items.slice(start, start + limit), total: items.length };
  };
  return { items, requests, fetchPage };
}

const itself = (item: string) => item;

for (const knowsMarker of [true, false]) {
  const kind = knowsMarker ? "with markers" : "with offsets only";

  for (const count of [0, 1, 9, 10, 11, 25, 30]) {
    test(`walks ${count} items ${kind}`, async () => {
      const list = createList(names(count), knowsMarker);
      const walked = paginate(list.fetchPage, itself, { limit: 10 });
      assert.deepEqual(await Array.fromAsync(walked), names(count));
      assert.equal(list.requests.length, Math.max(1, Math.ceil(count / 10)));
    });
  }

  test(`starts at the given offset ${kind}`, async () => {
    const list = createList(names(25), knowsMarker);
    const walked = paginate(list.fetchPage, itself, { limit: 10, offset: 7 });
    assert.deepEqual(await Array.fromAsync(walked), names(25).slice(7));
  });

  test(`items that come in front are not repeated ${kind}`, async () => {
    const list = createList(names(25), knowsMarker);
    const walked: string[] = [];
    for await (const item of paginate(list.fetchPage, itself, { limit: 10 })) {
      if (item === "n5") list.items.unshift("new");
      walked.push(item);
    }
    assert.deepEqual(walked, names(25));
  });

  test(`goes on when another client deletes the marker ${kind}`, async () => {
    const list = createList(names(45), knowsMarker);
    const fetchPage: Fetch = (request) => {
      if (request.offset === 20) {
        list.items.splice(list.items.indexOf("n19"), 1);
      }
      return list.fetchPage(request);
    };
    const walked = await Array.fromAsync(
      paginate(fetchPage, itself, { limit: 10 }),
    );
    const missed = names(45).filter((name) => !walked.includes(name));
    // By offset alone it cannot be seen that the list moved by one.
    assert.deepEqual(missed, knowsMarker ? [] : ["n20"]);
  });
}

test("asks for pages as they are needed", async () => {
  const list = createList(names(100), true);
  const walked = paginate(list.fetchPage, itself, { limit: 10 });
  for (let i = 0; i < 9; i++) await walked.next();
  assert.equal(list.requests.length, 1);
  await walked.next();
  assert.equal(list.requests.length, 2);
});

test("deleting each item does not hide the others", async () => {
  const list = createList(names(45), true);
  const walked: string[] = [];
  for await (const item of paginate(list.fetchPage, itself, { limit: 10 })) {
    walked.push(item);
    list.items.splice(list.items.indexOf(item), 1);
  }
  assert.deepEqual(walked, names(45));
  assert.deepEqual(list.items, []);
});

test("asks for 100 at a time", async () => {
  const list = createList(names(3), true);
  await Array.fromAsync(paginate(list.fetchPage, itself));
  assert.deepEqual(list.requests, [{ limit: 100, offset: 0 }]);
});

test("ends with a service that always answers the same page", async () => {
  for (const total of [2, 1000, undefined]) {
    const fetchPage: Fetch = async () => ({ items: ["a", "b"], total });
    const walked = paginate(fetchPage, itself, { limit: 2 });
    assert.deepEqual(await Array.fromAsync(walked), ["a", "b"]);
  }
});

test("ends with a service that gives everything at once", async () => {
  const fetchPage: Fetch = async () => ({ items: names(7), total: 7 });
  const walked = paginate(fetchPage, itself, { limit: 2 });
  assert.deepEqual(await Array.fromAsync(walked), names(7));
});

test("goes on with a service that gives fewer than asked for", async () => {
  const list = createList(names(7), false);
  const fetchPage: Fetch = (request) =>
    list.fetchPage({ ...request, limit: 3 });
  const walked = paginate(fetchPage, itself, { limit: 100 });
  assert.deepEqual(await Array.fromAsync(walked), names(7));
});

test("goes by full pages when there is no total", async () => {
  const list = createList(names(7), false);
  const fetchPage: Fetch = async (request) => ({
    items: (await list.fetchPage(request)).items,
  });
  const walked = paginate(fetchPage, itself, { limit: 3 });
  assert.deepEqual(await Array.fromAsync(walked), names(7));
});
