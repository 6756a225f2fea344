import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

/**
 * Ask before a build is made without changes that wait in the tab *Packages*; false if the user wants to look at them
 * first. Without such changes nobody is asked. `isOfText` says that the user looks at the text that is built.
 */
export async function mayBuildWithout(
  waiting: readonly string[],
  isOfText: boolean,
  trans: TranslationBundle
): Promise<boolean> {
  if (!waiting.length) {
    return true;
  }
  const answer = await showDialog({
    title: trans.__('Build without the changes in Packages?'),
    body: isOfText
      ? trans.__('The tab Packages has changes that are not in this text: %1', waiting.join(', '))
      : trans.__('The tab Packages has changes that will not be in the build: %1', waiting.join(', ')),
    buttons: [
      Dialog.cancelButton({ label: trans.__('Show packages') }),
      Dialog.okButton({ label: trans.__('Build without them') })
    ]
  });
  return answer.button.accept;
}
