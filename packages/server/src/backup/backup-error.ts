/** Why a backup was not made, or not restored. */

/** What a caller may do something about. */
export type BackupProblem =
  /** No server has kept its data there. */
  | "NO_DATA"
  /** The data is damaged, incomplete, or under another key. */
  | "DATA_DAMAGED"
  /** Something is in the place that was named. */
  | "TARGET_EXISTS"
  /** The place that was named cannot be used. */
  | "TARGET_UNUSABLE"
  | "DISK_FULL"
  /** The file is no backup. */
  | "BACKUP_FOREIGN"
  /** The file is a backup that was cut off or altered. */
  | "BACKUP_DAMAGED"
  /** A newer version made it. */
  | "BACKUP_NEWER";

/** Its message is a sentence for people; nothing was changed. */
export class BackupError extends Error {
  override readonly name = "BackupError";
  readonly problem: BackupProblem;

  constructor(problem: BackupProblem, message: string, options?: ErrorOptions) {
    super(message, options);
    this.problem = problem;
  }
}
