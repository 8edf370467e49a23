/** The plain values of the forward protocol: dates, times, and field types. */

/** Data that does not follow the forward protocol. */
export class JsonExError extends Error {
  static {
    JsonExError.prototype.name = "JsonExError";
  }
  readonly code: string = "BAD_JSONEX";
}

/** A calendar date without a time, `2026-11-21`. */
export class JsonExDate {
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }

  toString(): string {
    return this.value;
  }
}

/** A time of day without a date, `03:43:37.287801`. */
export class JsonExTime {
  readonly value: string;

  constructor(value: string) {
    this.value = value;
  }

  toString(): string {
    return this.value;
  }
}

/** Always six digits of fraction and no zone: Python cannot read others. */
export function formatDateTime(date: Date): string {
  if (Number.isNaN(date.getTime())) {
    throw new JsonExError("An invalid date cannot be sent");
  }
  return date.toISOString().replace("Z", "000");
}

/** UTC unless it says otherwise; fraction and zone may be missing. */
export function parseDateTime(text: unknown): Date {
  const match =
    typeof text === "string"
      ? /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/.exec(
          text,
        )
      : null;
  if (match !== null) {
    const [, day, time, fraction = "", zone = "Z"] = match;
    const millis = fraction.padEnd(3, "0").slice(0, 3);
    const date = new Date(`${day}T${time}.${millis}${zone}`);
    if (!Number.isNaN(date.getTime())) return date;
  }
  throw new JsonExError(`Not a date and time: ${JSON.stringify(text)}`);
}

const MAX_ADDRESS_LENGTH = 256;

/** The fields of an object on the wire, with the name of its class. */
export class WireFields {
  readonly #className: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(className: string, content: unknown) {
    if (!isRecord(content)) {
      throw new JsonExError(`${className} must hold an object`);
    }
    this.#className = className;
    this.#fields = content;
  }

  get names(): readonly string[] {
    return Object.keys(this.#fields);
  }

  get(name: string): unknown {
    return this.#fields[name];
  }

  /** A number counts as text: ids and phone numbers may come as either. */
  text(name: string): string {
    const value = this.textOrNull(name);
    if (value !== null) return value;
    throw new JsonExError(`${this.#className} lacks "${name}"`);
  }

  textOrNull(name: string): string | null {
    const value = this.#fields[name] ?? null;
    if (value === null || typeof value === "string") return value;
    if (typeof value === "number") return String(value);
    throw this.#wrong(name, "text");
  }

  /** A number or name of a phone; what is far too long for one is refused. */
  addressOrNull(name: string): string | null {
    const value = this.textOrNull(name);
    if (value === null || value.length <= MAX_ADDRESS_LENGTH) return value;
    throw this.#wrong(name, `at most ${MAX_ADDRESS_LENGTH} characters`);
  }

  address(name: string): string {
    return this.addressOrNull(name) ?? this.text(name);
  }

  recordOrNull(name: string): Record<string, unknown> | null {
    const value = this.#fields[name] ?? null;
    if (value === null || isRecord(value)) return value;
    throw this.#wrong(name, "an object");
  }

  listOrNull(name: string): readonly unknown[] | null {
    const value = this.#fields[name] ?? null;
    if (value === null || Array.isArray(value)) return value;
    throw this.#wrong(name, "a list");
  }

  /** Now, when absent. */
  time(name: string): Date {
    const value = this.#fields[name] ?? new Date();
    return value instanceof Date ? value : parseDateTime(value);
  }

  #wrong(name: string, expected: string): JsonExError {
    return new JsonExError(`${this.#className} needs ${expected} in "${name}"`);
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  );
}
