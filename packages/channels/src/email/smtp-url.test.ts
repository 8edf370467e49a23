import assert from "node:assert/strict";
import { test } from "node:test";
import { problemWithSmtpUrl } from "./smtp-url.ts";

for (const url of [
  "smtp://mail.example.com",
  "smtps://mail.example.com/",
  "smtp://user:secret@mail.example.com:587",
  "smtp://us%40er:pa%2Fs%23s%3F%25@mail.example.com:587",
  "smtp://user:p@ss@mail.example.com",
  "smtp://[2001:db8::1]:25",
  "smtp://mail.example.com:25/?requireTLS=true&tls.rejectUnauthorized=false",
]) {
  test(`takes ${url}`, () => {
    assert.equal(problemWithSmtpUrl(url), undefined);
  });
}

for (const url of [
  "smtp://user:secret/x@mail.example.com:587",
  "smtp://user:secret#x@mail.example.com:587",
  "smtp://user:secret?x@mail.example.com:587",
  // What stands before the character is a port.
  "smtp://user:12/secret@mail.example.com:587",
  "smtp://user:12#secret@mail.example.com:587",
  "smtp://user:12?secret@mail.example.com:587",
  "smtp://user/secret@mail.example.com",
  "smtp://user:secret%@mail.example.com:587",
  "smtp://user:secret%2x@mail.example.com:587",
]) {
  test(`says how characters of a password are written: ${url}`, () => {
    const problem = problemWithSmtpUrl(url) ?? "";
    assert.match(problem, /\/ # \? @ and % are written as %2F %23 %3F %40 %25/);
    assert.doesNotMatch(problem, /secret|12/);
  });
}

for (const url of ["", "mail.example.com", "http://u:secret@x", "smtp://", 7]) {
  test(`says what is expected in place of ${url}`, () => {
    const problem = problemWithSmtpUrl(url) ?? "";
    assert.match(problem, /^expected a URL such as smtp:\/\/.*, got a value/);
    assert.doesNotMatch(problem, /secret/);
  });
}
