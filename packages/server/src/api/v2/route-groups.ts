/**
 * The groups that routes of `/api/v2` name in their schema's `tags`, in the
 * order in which the OpenAPI document and the reference have them.
 */

export const routeGroups = [
  {
    name: "Messages",
    description: "Publishing, and what was published",
  },
  {
    name: "Deliveries",
    description:
      "What became of a message at each endpoint, and what can be done about it",
  },
  {
    name: "SMS",
    description:
      "Texts to one phone each, kept with all that became of them and found again",
  },
  { name: "E-mails", description: "The same for mails" },
  {
    name: "Delivery jobs",
    description: "An action on all deliveries that match a filter",
  },
  { name: "Events", description: "What happens, as it happens" },
  { name: "Topics", description: "What belongs to a topic" },
  {
    name: "Subscriptions",
    description: "Who gets what a topic publishes, and how it is signed",
  },
  {
    name: "Pull subscribers",
    description:
      "Who fetches messages: accounts, what they follow, and fetching itself",
  },
  {
    name: "Publishers",
    description: "Who publishes by categories, with credentials of their own",
  },
  {
    name: "Templates",
    description: "What texts and mails are made from, found by a slug",
  },
  { name: "Inbound texts", description: "What phones sent to us" },
  {
    name: "Opt-outs",
    description: "Who does not want texts, in the whole installation",
  },
  {
    name: "Suppressed addresses",
    description: "Who gets no mails of a project",
  },
  {
    name: "Guards",
    description: "What holds texts before a carrier gets them",
  },
  {
    name: "Providers",
    description: "Carriers that texts go through; for operators",
  },
  {
    name: "Batches",
    description: "What else is done by a scheduler; for operators",
  },
  {
    name: "Imports",
    description: "Messages that another program sent; for administrators",
  },
  { name: "Keys", description: "What messages are sealed with" },
  {
    name: "Identity",
    description: "Who may do what; for administrators and operators",
  },
  { name: "Service", description: "About this server" },
  {
    name: "Sandbox",
    description: "What built-in receivers were sent (with `--sandbox`)",
  },
] as const;
