/** The version of this package, as the API and the command line show it. */
export const version = "0.1.0";
