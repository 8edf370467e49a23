/**
 * What all plans run on: the server, its receivers and its publishers, each a
 * process of its own, and a mixed load through the public API.
 *
 * | stream | goes to                                                         |
 * | ------ | --------------------------------------------------------------- |
 * | steady | three healthy webhooks, as fast as the server answers           |
 * | mixed  | webhooks that are healthy, slow, hang, answer 500, reset, drip, |
 * |        | and a mailbox                                                   |
 * | mail   | a mailbox                                                       |
 * | sms    | phones, through a gateway that counts the texts                 |
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createTopic,
  notifications,
  publishPath,
  subscribe,
} from "../harness/api.ts";
import {
  CarillonProcess,
  type CarillonProcessOptions,
} from "../harness/carillon-process.ts";
import { type Fault, faultEnvironment, inject } from "../harness/faults.ts";
import {
  type ForwardPeerProcess,
  startForwardPeer,
} from "../harness/forward-peer.ts";
import { type Load, type Stream, startLoad } from "../harness/load.ts";
import { type SmtpSink, startSmtpSink } from "../harness/smtp-sink.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "../harness/temporary-folder.ts";
import { until, within } from "../harness/until.ts";
import {
  startWebhookSink,
  type WebhookSinkProcess,
} from "../harness/webhook-sink-process.ts";

/** What is published to a topic, and where it must arrive. */
export interface Audience {
  readonly load: Pick<Stream, "publishers" | "pauseMs">;
  /** In seconds; a day if it is not given: longer than any run. */
  readonly timeToLive?: number;
  /** Paths and mailboxes that answer well in time. */
  readonly healthy: readonly string[];
  /** What they are sent runs out. */
  readonly faulty: readonly string[];
}

/** By topic. */
export type Audiences = Readonly<Record<string, Audience>>;

const day = 86_400;

export const healthyAudiences = {
  steady: {
    load: { publishers: 6 },
    healthy: ["/ok/steady-0", "/ok/steady-1", "/ok/steady-2"],
    faulty: [],
  },
  mail: {
    load: { publishers: 1, pauseMs: 50 },
    healthy: ["mail@example.com"],
    faulty: [],
  },
} satisfies Audiences;

/**
 * @param timeToLive of the messages to faulty receivers, in seconds: a run
 * ends no sooner after its last message
 */
export function mixedAudiences(timeToLive: number): Audiences {
  return {
    ...healthyAudiences,
    mixed: {
      // The slow one takes 32 at a time, 3 s each: some ten a second.
      load: { publishers: 1, pauseMs: 200 },
      timeToLive,
      healthy: ["/ok/mixed", "/slow/mixed", "mixed@example.com"],
      faulty: ["/hang/mixed", "/fail/mixed", "/reset/mixed", "/drip/mixed"],
    },
  };
}

/** Where all text messages go. */
export const phone = "+15550100100";

export interface RigOptions {
  readonly audiences: Audiences;
  /** Lets faults be put into the server; see {@link Rig.inject}. */
  readonly withFaults?: boolean;
  readonly server?: Partial<CarillonProcessOptions>;
}

export class Rig implements AsyncDisposable {
  readonly hooks: WebhookSinkProcess;
  readonly mail: SmtpSink;
  readonly carrier: ForwardPeerProcess;
  readonly load: Load;
  /** Of all starts, in milliseconds. */
  readonly startsMs: number[] = [];
  readonly audiences: Audiences;
  readonly #folder: TemporaryFolder;
  readonly #serverOptions: CarillonProcessOptions;
  #server: CarillonProcess | undefined;

  private constructor(
    parts: Pick<Rig, "hooks" | "mail" | "carrier" | "load">,
    options: RigOptions,
    folder: TemporaryFolder,
    serverOptions: CarillonProcessOptions,
  ) {
    this.hooks = parts.hooks;
    this.mail = parts.mail;
    this.carrier = parts.carrier;
    this.load = parts.load;
    this.audiences = options.audiences;
    this.#folder = folder;
    this.#serverOptions = serverOptions;
  }

  /** All is up, and all subscriptions are confirmed. */
  static async start(options: RigOptions): Promise<Rig> {
    const [hooks, mail, carrier] = await Promise.all([
      startWebhookSink(),
      startSmtpSink(),
      startForwardPeer(),
    ]);
    const folder = await createFolder();
    const parts = { hooks, mail, carrier, load: startLoad() };
    const config = join(folder.path, "carillon.json");
    const serverUrl = `http://127.0.0.1:${carrier.port}/apps`;
    await writeFile(
      config,
      JSON.stringify({
        smtpUrl: `smtp://127.0.0.1:${mail.port}`,
        sms: {
          providers: [{ type: "forward-client", name: "hub", serverUrl }],
          // A few phones get more than anybody would be sent.
          guard: {
            numberPerHour: 0,
            numberPerHalfDay: 0,
            prefixPerHour: 0,
            sequenceLength: 0,
          },
        },
      }),
    );
    const rig = new Rig(parts, options, folder, {
      data: join(folder.path, "data"),
      ...options.server,
      ...(options.withFaults && {
        env: faultEnvironment(faultFile(folder.path)),
      }),
      args: ["--config", config, ...(options.server?.args ?? [])],
    });
    try {
      await rig.startServer();
      await rig.#prepare();
      return rig;
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The one that runs, or the last one that ran. */
  get server(): CarillonProcess {
    if (!this.#server) throw new Error("no server was started");
    return this.#server;
  }

  /** At the same address as before. */
  async startServer(): Promise<void> {
    const url = this.#server?.url;
    this.#server = await CarillonProcess.start({
      ...this.#serverOptions,
      ...(url !== undefined && { port: Number(new URL(url).port) }),
    });
    this.startsMs.push(this.#server.startedInMs);
  }

  /** Resolves when the fault is there, or over if it ends by itself. */
  async inject(fault: Fault): Promise<void> {
    await inject(this.server, faultFile(this.#folder.path), fault);
  }

  /** Rejects at once when the server has ended. */
  async until(
    condition: () => Promise<boolean>,
    what: string,
    deadlineMs = 30_000,
  ): Promise<void> {
    await until(
      async () => {
        if (this.server.hasEnded) {
          const { exitCode, signalCode } = this.server.child;
          throw new Error(
            `The server ended (${exitCode ?? signalCode}), so never: ${what}`,
          );
        }
        return await condition();
      },
      what,
      deadlineMs,
      20,
    );
  }

  /** Resolves when so many more messages were accepted. */
  async untilAccepted(more: number, deadlineMs = 30_000): Promise<void> {
    const before = await this.load.call("countAccepted");
    await this.until(
      async () => (await this.load.call("countAccepted")) >= before + more,
      `the server accepts ${Math.ceil(more)} messages`,
      deadlineMs,
    );
  }

  /**
   * Starts the load.
   *
   * @param padding characters added to what is published to topics
   */
  async publish({ padding = 0 } = {}): Promise<void> {
    const streams = this.#streams(padding);
    await this.load.call("start", this.server.url, streams);
  }

  /** Each request under way has its answer, or will never have one. */
  async stopPublishing(): Promise<void> {
    const what = "the server answers all publishes";
    await within(this.load.call("stop"), what, 60_000);
  }

  #streams(padding: number): Stream[] {
    const topics = Object.entries(this.audiences).map(
      ([name, { load, timeToLive = day }]) => ({
        name,
        path: publishPath(name),
        body: { subject: "torture", time_to_live: String(timeToLive) },
        padding,
        ...load,
      }),
    );
    const sms = {
      name: "sms",
      path: `${notifications}/sms`,
      body: { endpoint: phone },
      publishers: 2,
      pauseMs: 20,
    };
    return [...topics, sms];
  }

  async #prepare(): Promise<void> {
    const { server } = this;
    const { data } = this.#serverOptions;
    const credentials = await readFile(join(data, "credentials.json"), "utf8");
    const { receiverSecret } = JSON.parse(credentials);
    const receiver = `${server.url}/receivers/${receiverSecret}/hub`;
    await this.carrier.call("reportTo", receiver);
    let hooks = 0;
    let mailboxes = 0;
    for (const [topic, { healthy, faulty }] of Object.entries(this.audiences)) {
      await createTopic(server, topic);
      for (const target of [...healthy, ...faulty]) {
        if (target.startsWith("/")) {
          const endpoint = `http://127.0.0.1:${this.hooks.port}${target}`;
          await subscribe(server, topic, "http", endpoint);
          hooks++;
        } else {
          await subscribe(server, topic, "email", target);
          mailboxes++;
        }
      }
    }
    await until(
      async () =>
        (await this.hooks.call("countConfirmed")) === hooks &&
        (await this.mail.call("countConfirmed")) === mailboxes,
      "not all subscriptions were confirmed",
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The publishers first: they would ask on.
    await this.load[Symbol.asyncDispose]();
    await this.#server?.kill();
    for (const part of [this.hooks, this.mail, this.carrier]) {
      await part[Symbol.asyncDispose]();
    }
    await this.#folder[Symbol.asyncDispose]();
  }
}

const faultFile = (folder: string) => join(folder, "fault.json");
