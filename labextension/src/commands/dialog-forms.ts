import { Dialog, showDialog } from '@jupyterlab/apputils';
import { Widget } from '@lumino/widgets';
import type { IPlace } from '../store/types';

/** A form with fields, and the error of the previous answer. */
class Form extends Widget {
  constructor(fields: readonly (readonly [string, HTMLElement])[], problem: string) {
    super();
    this.addClass('jp-EnvStore-form');
    for (const [label, field] of fields) {
      field.className = 'jp-mod-styled';
      const node = document.createElement('label');
      node.append(label, field);
      this.node.appendChild(node);
    }
    if (problem) {
      const node = document.createElement('div');
      node.className = 'jp-EnvStore-error';
      node.setAttribute('role', 'alert');
      node.textContent = problem;
      this.node.appendChild(node);
      fields[0]?.[1].setAttribute('aria-invalid', 'true');
    }
  }
}

/** A form for a name and a namespace. */
export class PlaceForm extends Form implements Dialog.IBodyWidget<IPlace> {
  constructor(namespaces: string[], proposal: IPlace, problem: string, nameLabel: string, inLabel: string) {
    const name = document.createElement('input');
    name.value = proposal.name;
    const namespace = document.createElement('select');
    for (const found of namespaces) {
      namespace.add(new Option(found, found, false, found === proposal.namespace));
    }
    super(
      [
        [nameLabel, name],
        [inLabel, namespace]
      ],
      problem
    );
    this._name = name;
    this._namespace = namespace;
  }

  getValue(): IPlace {
    return { namespace: this._namespace.value, name: this._name.value.trim() };
  }

  private readonly _name: HTMLInputElement;
  private readonly _namespace: HTMLSelectElement;
}

/** A form for a line of text. */
class LineForm extends Form implements Dialog.IBodyWidget<string> {
  constructor(label: string, text: string, problem: string) {
    const input = document.createElement('input');
    input.value = text;
    super([[label, input]], problem);
    this._input = input;
  }

  getValue(): string {
    return this._input.value;
  }

  private readonly _input: HTMLInputElement;
}

/**
 * Ask with a form until `take` accepts the answer. If it throws an error, the dialog shows its message and the previous
 * answer. Null if the user cancels.
 */
export async function askUntilTaken<T>(
  words: { title: string; ok: string },
  proposal: T,
  makeForm: (proposal: T, problem: string) => Dialog.IBodyWidget<T>,
  take: (answer: T) => Promise<unknown>
): Promise<T | null> {
  let problem = '';
  for (;;) {
    const answer = await showDialog({
      title: words.title,
      body: makeForm(proposal, problem),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: words.ok })],
      focusNodeSelector: 'input'
    });
    if (!answer.button.accept || answer.value === null) {
      return null;
    }
    proposal = answer.value;
    try {
      await take(proposal);
      return proposal;
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
}

/** Ask for a line of text until `take` accepts it; null if the user cancels. */
export async function askForLine(
  words: { title: string; label: string; ok: string },
  text: string,
  take: (text: string) => Promise<unknown>
): Promise<string | null> {
  return askUntilTaken(words, text, (proposal, problem) => new LineForm(words.label, proposal, problem), take);
}
