/** A mail server's side of SMTP, as plain as it gets, to see each reply. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

export interface SmtpClient extends AsyncDisposable {
  readonly socket: Socket;
  /** Sends a line, and answers the last line of the reply. */
  say(line: string): Promise<string>;
  /** Hands a mail over, and answers the reply that ended it. */
  send(
    to: string | readonly string[],
    text: string,
    from?: string,
  ): Promise<string>;
}

/** Greets as `mx.example.net`. */
export async function connectSmtp(port: number): Promise<SmtpClient> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  async function reply(): Promise<string> {
    while (true) {
      const { value, done } = await lines.next();
      if (done) return "closed";
      if (/^\d{3}(?!-)/.test(value)) return value;
    }
  }
  async function say(line: string): Promise<string> {
    socket.write(`${line}\r\n`);
    return await reply();
  }
  const greeting = await reply();
  const client: SmtpClient = {
    socket,
    say,
    async send(to, text, from = "") {
      const mailFrom = await say(`MAIL FROM:<${from}>`);
      if (!mailFrom.startsWith("250")) return mailFrom;
      let refused: string | undefined;
      let taken = 0;
      for (const address of [to].flat()) {
        const answer = await say(`RCPT TO:<${address}>`);
        if (answer.startsWith("250")) taken++;
        else refused = answer;
      }
      if (taken === 0) {
        if (refused?.startsWith("421")) return refused;
        await say("RSET");
        return refused ?? "nobody";
      }
      await say("DATA");
      return await say(`${text.replace(/^\./gm, "..")}\r\n.`);
    },
    async [Symbol.asyncDispose]() {
      if (socket.closed) return;
      socket.destroy();
      await once(socket, "close");
    },
  };
  if (greeting.startsWith("220")) await say("EHLO mx.example.net");
  return client;
}
