import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  ConfigurationError,
  ProviderConnectionError,
  ProviderError,
  RemoteError,
  RequestError,
  ServerError,
} from "../../errors.ts";
import { IncomingMessage } from "../../incoming-message.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageStatus,
} from "../../message-status.ts";
import { SuppressedError } from "../../opt-out/suppressed-error.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { decode, encode } from "./jsonex.ts";
import { toStatus } from "./wire-objects.ts";
import { JsonExDate, JsonExError, JsonExTime } from "./wire-values.ts";

const rtime = new Date("2026-11-21T03:43:37.287Z");
const wireTime = { "?": ["datetime", "2026-11-21T03:43:37.287000"] };

test("an outgoing message has the shape that peers know", () => {
  const message = new OutgoingMessage("1234", "Hi žluť", "+9", "fwd")
    .options({ senderId: "me", statusReport: true })
    .params({ a: 1 })
    .route("u", "n");
  assert.deepEqual(JSON.parse(encode({ message })), {
    message: {
      "?": [
        "OutgoingMessage",
        {
          src: "+9",
          dst: "1234",
          body: "Hi žluť",
          provider: "fwd",
          provider_options: {
            "?": [
              "OutgoingMessageOptions",
              { senderId: "me", status_report: true },
            ],
          },
          provider_params: { a: 1 },
          routing_values: ["u", "n"],
        },
      ],
    },
  });
});

test("constructor properties are there even when unknown", () => {
  const outgoing = JSON.parse(encode(new OutgoingMessage("1", "hi")));
  assert.deepEqual(outgoing["?"][1], {
    src: null,
    dst: "1",
    body: "hi",
    provider: null,
    provider_options: { "?": ["OutgoingMessageOptions", {}] },
    provider_params: {},
    routing_values: null,
  });
  const incoming = JSON.parse(
    encode(new IncomingMessage("1", "yo", { rtime })),
  );
  assert.deepEqual(incoming["?"], [
    "IncomingMessage",
    {
      msgid: null,
      src: "1",
      body: "yo",
      dst: null,
      rtime: wireTime,
      meta: {},
      provider: null,
    },
  ]);
});

test("a status travels as the nearest class that peers know", () => {
  class S004 extends MessageDelivered {}
  const status = new S004("1", {
    rtime,
    provider: "lo",
    status: "OK",
    statusCode: "004",
  });
  assert.deepEqual(JSON.parse(encode({ status })), {
    status: {
      "?": [
        "MessageDelivered",
        {
          msgid: "1",
          rtime: wireTime,
          meta: {},
          status_code: "004",
          status: "OK",
          provider: "lo",
        },
      ],
    },
  });
});

test("reads what a Python server sends", () => {
  const reply = decode(
    '{"message": {"?": ["OutgoingMessage", {"src": "+9", "dst": "1234", ' +
      '"body": "Hi \\u017elu\\u0165", "provider": "lo", "provider_options": ' +
      '{"?": ["OutgoingMessageOptions", {"senderId": "me", "status_report": ' +
      'true}]}, "provider_params": {"a": 1}, "routing_values": [1, 2, 3], ' +
      '"msgid": "1", "reply": {"?": ["function", {}]}}]}}',
  );
  const expected = new OutgoingMessage("1234", "Hi žluť", "+9", "lo")
    .options({ senderId: "me", statusReport: true })
    .params({ a: 1 })
    .route(1, 2, 3);
  expected.msgid = "1";
  assert.deepEqual(reply, { message: expected });

  const text = decode(
    '{"?": ["IncomingMessage", {"msgid": 2, "src": "1111", "body": "Yo", ' +
      '"dst": null, "rtime": {"?": ["datetime", "2026-11-21T03:43:37.287801"]},' +
      ' "meta": {}, "provider": "lo"}]}',
  );
  assert.ok(text instanceof IncomingMessage);
  assert.equal(text.msgid, "2");
  assert.equal(text.rtime.getTime(), rtime.getTime());
  assert.equal(text.provider, "lo");

  const status = decode(
    '{"?": ["MessageAccepted", {"msgid": "1", "rtime": {"?": ["datetime", ' +
      '"2026-11-21T03:43:37"]}, "meta": {}, "status": "OK", "provider": "lo"}]}',
  );
  assert.ok(status instanceof MessageAccepted);
  assert.equal(status.kind, "accepted");
  assert.equal(status.status, "OK");
  assert.equal(status.statusCode, null);
});

test("an echo keeps the type of a numeric id", () => {
  const text = decode('{"?": ["IncomingMessage", {"msgid": 2, "body": ""}]}');
  assert.equal(JSON.parse(encode(text))["?"][1].msgid, 2);
  assert.ok(text instanceof IncomingMessage);
  text.msgid = "3";
  assert.equal(JSON.parse(encode(text))["?"][1].msgid, "3");
});

test("attributes that peers add come along and go back", () => {
  const wire =
    '{"?": ["IncomingMessage", {"msgid": "1", "body": "", "color": ["red"]}]}';
  const text = decode(wire);
  assert.deepEqual(Reflect.get(Object(text), "color"), ["red"]);
  assert.deepEqual(JSON.parse(encode(text))["?"][1].color, ["red"]);
});

test("attributes cannot hide our own members", () => {
  const message = decode(
    '{"?": ["OutgoingMessage", {"dst": "1", "body": "b", "toJSON": 1, ' +
      '"options": 2, "sentAt": 3, "choice": 4, "hasOwnProperty": 5}]}',
  );
  assert.ok(message instanceof OutgoingMessage);
  assert.equal(typeof message.toJSON, "function");
  assert.equal(message.sentAt, null);
  assert.equal(message.choice, null);
  assert.equal(Object.hasOwn(message, "hasOwnProperty"), false);
});

test("dates and times of all spellings", () => {
  const read = (text: string) =>
    decode(JSON.stringify({ "?": ["datetime", text] }));
  const noon = new Date("2026-01-02T12:00:00.000Z");
  assert.deepEqual(read("2026-01-02T12:00:00"), noon);
  assert.deepEqual(read("2026-01-02T12:00:00.000000"), noon);
  assert.deepEqual(read("2026-01-02T12:00:00Z"), noon);
  assert.deepEqual(read("2026-01-02T14:00:00.0+02:00"), noon);
  assert.throws(() => read("yesterday"), JsonExError);
  assert.throws(() => read("2026-13-02T12:00:00"), JsonExError);
  assert.equal(encode(noon), '{"?":["datetime","2026-01-02T12:00:00.000000"]}');
  assert.throws(() => encode(new Date(Number.NaN)), JsonExError);

  const day = '{"?":["date","2026-11-21"]}';
  const time = '{"?":["time","03:43:37.287801"]}';
  assert.deepEqual(decode(day), new JsonExDate("2026-11-21"));
  assert.deepEqual(decode(time), new JsonExTime("03:43:37.287801"));
  assert.equal(encode(decode(day)), day);
  assert.equal(encode(decode(time)), time);
});

test("errors travel as the nearest class that peers know", () => {
  class Clickatell301 extends ServerError {}
  const name = (error: Error) => JSON.parse(encode(error))["?E"][0];
  assert.equal(
    encode(new ServerError("Offline")),
    '{"?E":["ServerError",["Offline"]]}',
  );
  assert.equal(name(new Clickatell301("x")), "ServerError");
  assert.equal(name(new ProviderConnectionError("x")), "ConnectionError");
  assert.equal(name(new ProviderError("x")), "ProviderError");
  const entry = { recipient: "1", sender: null, keyword: "STOP", at: rtime };
  assert.equal(name(new SuppressedError(entry)), "RequestError");
  assert.equal(name(new RangeError("x")), "RangeError");
  const remote = new RemoteError("OverflowError", ["Tired", 1]);
  assert.equal(encode(remote), '{"?E":["OverflowError",["Tired",1]]}');
});

test("errors come back as their own class", () => {
  const read = (name: string, args: unknown[] = ["why"]) =>
    decode(JSON.stringify({ "?E": [name, args] }));
  for (const name of [
    "ProviderError",
    "MessageSendError",
    "RequestError",
    "UnsupportedError",
    "ServerError",
    "AuthError",
    "LimitsError",
    "CreditError",
  ]) {
    const error = read(name);
    assert.ok(error instanceof ProviderError);
    assert.equal(error.name, name);
    assert.equal(error.message, "why");
  }
  assert.ok(read("ConnectionError") instanceof ProviderConnectionError);
  assert.ok(read("ConfigurationError") instanceof ConfigurationError);
  const unknown = read("OverflowError", ["Tired"]);
  assert.ok(unknown instanceof RemoteError);
  assert.equal(unknown.remoteName, "OverflowError");
  assert.equal(unknown.message, "Tired");
  assert.ok(read("NotFound", []) instanceof RemoteError);
});

test("only known classes are built; the rest stays data", () => {
  for (const name of ["Function", "Object", "Date", "constructor", "S004"]) {
    const wire = { "?": [name, { a: 1 }] };
    assert.deepEqual(decode(JSON.stringify(wire)), wire);
  }
  const malformed = [
    { "?": ["IncomingMessage"] },
    { "?": [1, {}] },
    { "?": ["IncomingMessage", {}], other: 1 },
    { "?E": ["ServerError", "no list"] },
  ];
  for (const wire of malformed) {
    assert.deepEqual(decode(JSON.stringify(wire)), wire);
  }
});

test("a status of an unknown class is read by its flags", () => {
  const read = (fields: object) =>
    toStatus(decode(JSON.stringify({ "?": ["S004", fields] })));
  assert.equal(read({ msgid: "1" })?.kind, "unknown");
  assert.equal(read({ msgid: 1, accepted: true })?.kind, "accepted");
  assert.equal(
    read({ msgid: "1", accepted: true, delivered: true })?.kind,
    "delivered",
  );
  assert.equal(
    read({ msgid: "1", accepted: true, expired: true })?.kind,
    "expired",
  );
  const failed = read({
    msgid: "1",
    error: true,
    status_code: 4,
    status: "no",
  });
  assert.ok(failed instanceof MessageError);
  assert.deepEqual([failed.statusCode, failed.status], [4, "no"]);
  assert.throws(() => read({}), JsonExError);
  assert.equal(toStatus({ "?": ["S004"] }), undefined);
  assert.equal(toStatus("x"), undefined);
  assert.ok(toStatus(new MessageStatus("1")) instanceof MessageStatus);
});

test("keys that reach prototypes are dropped", () => {
  const value = decode(
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": ' +
      '{"polluted": 1}}, "prototype": 1, "a": {"__proto__": 1}}',
  );
  assert.deepEqual(value, { a: {} });
  const message = decode(
    '{"?": ["OutgoingMessage", {"dst": "1", "body": "b", ' +
      '"__proto__": {"polluted": 1}, "provider_params": {"__proto__": ' +
      '{"polluted": 1}, "constructor": 1}, "provider_options": ' +
      '{"?": ["OutgoingMessageOptions", {"__proto__": {"polluted": 1}}]}}]}',
  );
  assert.ok(message instanceof OutgoingMessage);
  assert.equal(Object.getPrototypeOf(message), OutgoingMessage.prototype);
  assert.deepEqual(message.providerParams, {});
  assert.equal(Reflect.get({}, "polluted"), undefined);
  assert.equal(Reflect.get(message.providerOptions, "polluted"), undefined);
});

test("what is no JSON, too deep or incomplete is an error", () => {
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const cases = [
    "",
    "{",
    "<html>",
    deep,
    '{"?": ["OutgoingMessage", {}]}',
    '{"?": ["OutgoingMessage", null]}',
    '{"?": ["OutgoingMessage", {"dst": {}, "body": ""}]}',
    '{"?": ["OutgoingMessage", {"dst": "1", "body": "", "routing_values": 1}]}',
    '{"?": ["OutgoingMessage", {"dst": "1", "body": "", "provider_params": []}]}',
    '{"?": ["MessageStatus", {}]}',
    '{"?": ["datetime", 5]}',
  ];
  for (const text of cases) {
    assert.throws(() => decode(text), JsonExError, text.slice(0, 60));
  }
});

test("circles cannot be written", () => {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.throws(() => encode(circle), JsonExError);
});

test("a known error is not confused by a strange argument", () => {
  const error = decode('{"?E": ["RequestError", [{"a": 1}]]}');
  assert.ok(error instanceof RequestError);
});

test("property: plain data survives the way there and back", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      fc.pre(
        !/"(\?E?|__proto__|constructor|prototype)"/.test(JSON.stringify(value)),
      );
      assert.deepEqual(
        decode(encode(value)),
        JSON.parse(JSON.stringify(value)),
      );
    }),
  );
});
