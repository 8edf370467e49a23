/** The version of this package, told by the API and the command line. */
export const version = "0.1.0";
