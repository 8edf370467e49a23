/** The providers of a gateway by name: adding, finding, starting, stopping. */

import { describeValue } from "./describe-value.ts";
import { ConfigurationError, UnknownProviderError } from "./errors.ts";
import { Provider, type ProviderHost, type StartContext } from "./provider.ts";

export class ProviderRegistry {
  readonly #providers = new Map<string, Provider>();
  #defaultName: string | null = null;
  // In the order of starting; a start that fails is taken out again.
  readonly #starts = new Map<Provider, Promise<void>>();
  readonly #started = new Set<Provider>();
  #isRunning = false;

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
      throw new ConfigurationError(
        `"${name}" is not a provider but ${describeValue(added)}: ` +
          "pass an instance, such as new LoopbackProvider()",
      );
    }
    if (added.polling !== undefined && added.fetchStatuses === undefined) {
      throw new ConfigurationError(
        `"${name}" says how it is polled, and has no fetchStatuses`,
      );
    }
    added.attach(host, name);
    this.#providers.set(name, added);
    this.#defaultName ??= name;
    if (this.#isRunning) {
      this.#startOne(added).catch(() => {
        // Tried again by whoever sends through it, and gets the error.
      });
    }
    return added;
  }

  /**
   * Takes a provider out, and frees its name. It is stopped by `stopOne`, once
   * it has nothing to do any more. The first one left becomes the default if
   * it was this one.
   */
  remove(name: string): Provider {
    const provider = this.get(name, "to be removed");
    this.#providers.delete(name);
    if (this.#defaultName === name) {
      const [first] = this.#providers.keys();
      this.#defaultName = first ?? null;
    }
    provider.detach?.();
    return provider;
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
   * stopped again. Those added from now on are started as they come.
   */
  async start(context: StartContext): Promise<void> {
    const { signal } = context;
    this.#isRunning = true;
    try {
      for (const provider of this.#providers.values()) {
        signal?.throwIfAborted();
        await this.#startOne(provider, context);
        // It may have started without heeding the signal.
        signal?.throwIfAborted();
      }
    } catch (error) {
      await this.stop().catch(() => {
        // The first error has the cause; a stop after it often fails likewise.
      });
      throw error;
    }
  }

  /**
   * Undefined if a provider can be used now; else a promise that it can, which
   * rejects as its start does. Without `start` every provider can be used.
   */
  whenStarted(provider: Provider): Promise<void> | undefined {
    if (!this.#isRunning || this.#started.has(provider)) return undefined;
    return this.#startOne(provider);
  }

  /** Whether it is ready to be used; without `start` every provider is. */
  isReady(provider: Provider): boolean {
    return !this.#isRunning || this.#started.has(provider);
  }

  /** Last first, all of them even if some fail; then throws what failed. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    const errors: unknown[] = [];
    for (const provider of [...this.#starts.keys()].reverse()) {
      try {
        await this.stopOne(provider);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) {
      throw new AggregateError(errors, "Several providers failed to stop");
    }
  }

  /** Does nothing for one that was not started. */
  async stopOne(provider: Provider): Promise<void> {
    const starting = this.#starts.get(provider);
    this.#starts.delete(provider);
    try {
      await starting;
    } catch {
      // Not started: whoever started it has the error.
      return;
    }
    if (this.#started.delete(provider)) await provider.stop?.();
  }

  #startOne(provider: Provider, context?: StartContext): Promise<void> {
    const before = this.#starts.get(provider);
    if (before !== undefined) return before;
    const start = async (): Promise<void> => provider.start?.(context);
    const starting = start().then(
      () => {
        this.#started.add(provider);
      },
      (error: unknown) => {
        this.#starts.delete(provider);
        throw error;
      },
    );
    this.#starts.set(provider, starting);
    return starting;
  }
}
