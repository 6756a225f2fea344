import type { IFault } from './types';

/** An error that the server answered: its message is for people, its status and code are for programs. */
export class EnvStoreError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly faults: IFault[] = [],
    /** Misspelled names, each with names that may have been meant. */
    readonly suggestions: Record<string, string[]> = {},
    /** If a channel cannot be reached: when the indexes of all channels concerned were last read. */
    readonly lastIndex: string | null = null,
    /** With code `unknown_places`: addresses that have to be accepted. */
    readonly places: readonly string[] = []
  ) {
    super(message);
  }
}

/** Return the error in an answer, also if a proxy gave it. */
export async function refusal(answer: Response): Promise<EnvStoreError> {
  let data: any = null;
  try {
    data = await answer.json();
  } catch {
    // not from us: a proxy, or a server without the extension
  }
  const message = data?.message ?? `${answer.status} ${answer.statusText}`;
  return new EnvStoreError(
    message,
    answer.status,
    data?.code ?? '',
    data?.faults ?? [],
    data?.suggestions ?? {},
    data?.last_index ?? null,
    data?.places ?? []
  );
}
