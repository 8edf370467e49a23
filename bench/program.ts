/** The child's side of a program that the benchmarks start and ask. */

/** What the parent handed over; the type is what the script documents. */
export function programOptions<Options>(): Options {
  return JSON.parse(process.argv[2] ?? "{}") as Options;
}

/** Says that it is ready; answers questions from now on. */
export function serveQuestions<Question>(
  port: number,
  answer: (question: Question) => unknown,
): void {
  process.on("message", async (question) => {
    process.send?.(Object(await answer(question as Question)));
  });
  // Whoever started it is gone: nobody will ask any more.
  process.on("disconnect", () => process.exit());
  process.send?.({ port });
}
