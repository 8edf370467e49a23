/** The providers of a gateway by name: adding, finding, starting, stopping. */

import { ConfigurationError, UnknownProviderError } from "./errors.ts";
import { Provider, type ProviderHost, type StartContext } from "./provider.ts";

export class ProviderRegistry {
  readonly #providers = new Map<string, Provider>();
  #defaultName: string | null = null;
  #started: Provider[] = [];

  /** In the order of registration. */
  get all(): ReadonlyMap<string, Provider> {
    return this.#providers;
  }

  /** The first one added, unless another was chosen; null if there is none. */
  get defaultName(): string | null {
    return this.#defaultName;
  }

  set defaultName(name: string) {
    this.get(name, "set as defaultProvider");
    this.#defaultName = name;
  }

  /** `create` is called only once the name is known to be free. */
  add<P extends Provider>(
    name: string,
    create: () => P,
    host: ProviderHost,
  ): P {
    if (typeof name !== "string" || name === "") {
      throw new ConfigurationError("A provider needs a name");
    }
    if (this.#providers.has(name)) {
      throw new ConfigurationError(
        `A provider called "${name}" is registered already`,
      );
    }
    const added = create();
    if (!(added instanceof Provider)) {
      throw new ConfigurationError(`"${name}" is not a provider`);
    }
    added.attach(host, name);
    this.#providers.set(name, added);
    this.#defaultName ??= name;
    return added;
  }

  has(name: string): boolean {
    return this.#providers.has(name);
  }

  find(name: string): Provider | undefined {
    return this.#providers.get(name);
  }

  /** `asked`: for the error, who wanted a provider of this name. */
  get(name: string, asked: string): Provider {
    const provider = this.#providers.get(name);
    if (provider !== undefined) return provider;
    throw new UnknownProviderError(name, this.#providers.keys(), asked);
  }

  /**
   * In order; if one fails, or the signal is aborted, those before it are
   * stopped again.
   */
  async start(context: StartContext): Promise<void> {
    for (const provider of this.#providers.values()) {
      if (this.#started.includes(provider)) continue;
      try {
        context.signal?.throwIfAborted();
        await provider.start?.(context);
        this.#started.push(provider);
        // It may have started without heeding the signal.
        context.signal?.throwIfAborted();
      } catch (error) {
        await this.stop().catch(() => {
          // The first error has the cause; a stop after it often fails likewise.
        });
        throw error;
      }
    }
  }

  /** Last first, all of them even if some fail; then throws what failed. */
  async stop(): Promise<void> {
    const started = this.#started.reverse();
    this.#started = [];
    const errors: unknown[] = [];
    for (const provider of started) {
      try {
        await provider.stop?.();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) {
      throw new AggregateError(errors, "Several providers failed to stop");
    }
  }
}
