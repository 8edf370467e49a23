/** `carillon completion` */

import { Argument, Command } from "commander";
import { addExamples } from "../client-options.ts";
import { type Shell, shells, writeCompletion } from "../completion.ts";
import { createProgram } from "../program.ts";

export function completionCommand(): Command {
  return addExamples(
    new Command("completion")
      .description(
        "Print a script that lets a shell complete commands, options and their values. It is made from the commands of this version: print it anew after an upgrade.",
      )
      .addArgument(new Argument("<shell>").choices(shells)),
    [
      'eval "$(carillon completion bash)"',
      "carillon completion bash > ~/.carillon-completion.bash",
      "carillon completion zsh > ~/.zfunc/_carillon",
      "carillon completion fish > ~/.config/fish/completions/carillon.fish",
    ],
  ).action(async (shell: Shell) => {
    const program = await createProgram("all");
    process.stdout.write(writeCompletion(shell, program));
  });
}
