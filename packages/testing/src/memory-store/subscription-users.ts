/** Subscription users of the in-memory store. */

import type { SubscriptionUser, SubscriptionUserStore } from "@carillon/core";

export class MemorySubscriptionUsers implements SubscriptionUserStore {
  #users: SubscriptionUser[] = [];

  async addSubscriptionUser(
    user: SubscriptionUser,
    quota: number,
  ): Promise<boolean> {
    if (this.#of(user.domainId).length >= quota) return false;
    this.#users.push(user);
    return true;
  }

  async listSubscriptionUsers(
    domainId: string,
    { offset, limit }: { readonly offset: number; readonly limit: number },
  ) {
    const all = this.#of(domainId);
    return { total: all.length, items: all.slice(offset, offset + limit) };
  }

  async findSubscriptionUser(domainId: string, id: string) {
    return this.#of(domainId).find((user) => user.id === id);
  }

  async deleteSubscriptionUser(domainId: string, id: string) {
    const found = await this.findSubscriptionUser(domainId, id);
    this.#users = this.#users.filter((user) => user !== found);
    return found !== undefined;
  }

  #of(domainId: string): SubscriptionUser[] {
    return this.#users.filter((user) => user.domainId === domainId);
  }
}
