import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { ISignal } from '@lumino/signaling';
import type { IProps } from '../../components/props';
import type { IStart } from '../shared/view-types';
import type { ICompleter } from '../specification/package-completer';

/** The properties of the view that creates environments. */
export interface ICreateProps extends IProps {
  editors: IEditorServices;
  completer: ICompleter;
}

/** The interface of the widget around the form for a new environment. */
export interface ICreateWidget {
  /** What is written in the form is kept in this browser under this key. */
  readonly key: string;
  /** What the form was last asked to begin with. */
  readonly last: IStart;
  /** Emitted when the form shall begin with something else. */
  readonly started: ISignal<unknown, IStart>;
  /** Whether something was typed here that is nowhere else; the form sets it. */
  isTouched: () => boolean;
  /** Whether what was typed here was built; the form sets it. */
  isDone: boolean;
}
