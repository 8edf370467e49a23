/**
 * Every protocol name that clients of SMN may write into templates and message
 * attributes, delivered by here or not: what was written for the cloud is not
 * refused here. `dms` is retired there, and tools still offer it for templates;
 * the retired `application` is not among them.
 */

export const smnProtocols = [
  "http",
  "https",
  "email",
  "sms",
  "functionstage",
  "functiongraph",
  "callnotify",
  "dingding",
  "dingTalkBot",
  "feishu",
  "wechat",
  "welink",
  "dms",
] as const;

export function isSmnProtocol(text: string): boolean {
  return (smnProtocols as readonly string[]).includes(text);
}
