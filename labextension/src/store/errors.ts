import type { IFault } from './types';

/** What the server refused: its message is for people, its status and code are for programs. */
export class EnvStoreError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly faults: IFault[] = [],
    /** What is written wrongly, to what may have been meant. */
    readonly suggestions: Record<string, string[]> = {},
    /** Where a channel is away, when the indexes of all channels concerned were read last. */
    readonly lastIndex: string | null = null
  ) {
    super(message);
  }
}

/** Return what an answer refuses, whoever gave it. */
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
    data?.last_index ?? null
  );
}
