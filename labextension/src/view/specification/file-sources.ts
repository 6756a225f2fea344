import type { TranslationBundle } from '@jupyterlab/translation';
import { MAX_FILE, acceptedFiles } from '../../lab/file-chooser';
import { size } from '../../presentation/formats';

const BINARY = /^(%PDF|PK\x03|.PNG|\x1f)|\0/;

/** Whether a content is binary. */
export function isBinary(content: string): boolean {
  return BINARY.test(content);
}

/** Return the text of a file; where it cannot be an environment file, it fails with words for people. */
export async function textOfFile(file: File, trans: TranslationBundle): Promise<string> {
  if (file.size > MAX_FILE) {
    throw new Error(trans.__('%1 is larger than 4 MB, so it cannot be an environment file.', file.name));
  }
  const content = await file.text();
  if (isBinary(content)) {
    const kind = content.startsWith('%PDF') ? trans.__('PDF') : trans.__('no text');
    throw new Error(
      trans.__(
        '%1 is not an environment file (%2, %3). Accepted: %4.',
        file.name,
        kind,
        size(file.size),
        acceptedFiles(trans)
      )
    );
  }
  return content;
}

/** Return the text that a link leads to, and the name of its file; where it cannot be read, it fails with words for people. */
export async function textOfLink(address: string, trans: TranslationBundle): Promise<{ content: string; fileName: string }> {
  try {
    const answer = await fetch(new URL(address), { credentials: 'omit' });
    if (!answer.ok) {
      throw new Error(`${answer.status} ${answer.statusText}`);
    }
    const fileName = new URL(address).pathname.split('/').pop() || 'environment.yml';
    return { content: await answer.text(), fileName };
  } catch (reason) {
    const why = reason instanceof TypeError ? '' : ` (${(reason as Error).message})`; // a browser tells no reason
    throw new Error(trans.__('The link cannot be read from this page%1. Download the file and import it.', why));
  }
}
