import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { IProps } from '../components/basics';
import type { IBuild, IEnvironment, IPlace } from '../types';
import type { ICompleter } from './editor';
import type { IShow } from './views';

/** What the view of an environment works with. */
export interface IViewProps extends IProps {
  editors: IEditorServices;
  completer: ICompleter;
  place: IPlace;
}

/** What every tab is given. */
export interface ITabProps extends IViewProps {
  item: IEnvironment;
  /** The build that is shown. */
  build: IBuild;
  show: (what: IShow) => void;
}
