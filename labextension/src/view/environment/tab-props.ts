import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { IProps } from '../../components/props';
import type { IBuild, IEnvironment, IPlace } from '../../store/types';
import type { IShow } from '../shared/view-types';
import type { ICompleter } from '../specification/package-completer';

/** The properties of the view of an environment. */
export interface IViewProps extends IProps {
  editors: IEditorServices;
  completer: ICompleter;
  place: IPlace;
}

/** The properties of each tab. */
export interface ITabProps extends IViewProps {
  item: IEnvironment;
  /** The build that is shown. */
  build: IBuild;
  show: (what: IShow) => void;
}
