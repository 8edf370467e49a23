/** Entry of the program; everything is in `program.ts`. */

import { runProgram } from "./program.ts";

process.exitCode = await runProgram(process.argv.slice(2));
