/** A way through which clients reach a server, and which can be cut. */

import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";

export class TcpProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #pairs = new Map<Socket, Socket>();
  #isOpen = true;

  private constructor(server: Server, port: number) {
    this.#server = server;
    server.on("connection", (client) => {
      if (this.#isOpen) this.#join(client, port);
      else client.destroy();
    });
  }

  static async start({ url }: { readonly url: string }): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, Number(new URL(url).port));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Clients lose their connections, and get no new ones.
   *
   * @param isNoticed whether the server loses them too; else it writes on to nobody
   */
  cut({ isNoticed }: { readonly isNoticed: boolean }): void {
    this.#isOpen = false;
    for (const [client, upstream] of this.#pairs) {
      client.unpipe(upstream);
      upstream.unpipe(client);
      // What it still writes is read and lost.
      upstream.resume();
      client.destroy();
      if (isNoticed) upstream.destroy();
    }
  }

  mend(): void {
    this.#isOpen = true;
  }

  #join(client: Socket, port: number): void {
    const upstream = connect(port, "127.0.0.1");
    this.#pairs.set(client, upstream);
    client.pipe(upstream);
    upstream.pipe(client);
    // Whoever loses a connection says so otherwise.
    client.on("error", () => {});
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => {
      this.#pairs.delete(client);
      client.destroy();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [client, upstream] of this.#pairs) {
      client.destroy();
      upstream.destroy();
    }
    this.#server.close();
    await once(this.#server, "close");
  }
}
