const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/;

/** Whether a text has the form of an environment's name. */
export function isEnvironmentName(text: string): boolean {
  return NAME.test(text);
}
