/** Filters of lists: parameters that were not given, or are empty, are none. */

type Given<Filter> = {
  [Name in keyof Filter]?: Exclude<Filter[Name], undefined>;
};

export function toFilter<Filter extends object>(filter: Filter): Given<Filter> {
  const given: Given<Filter> = {};
  for (const name of Object.keys(filter) as (keyof Filter)[]) {
    const value = filter[name];
    if (value === undefined || value === "") continue;
    // Just found to be neither.
    given[name] = value as Exclude<Filter[keyof Filter], undefined>;
  }
  return given;
}
