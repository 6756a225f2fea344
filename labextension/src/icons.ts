import { LabIcon } from '@jupyterlab/ui-components';
import envstoreSvg from '../style/icons/envstore.svg';

/** A box with three layers. */
export const envstoreIcon = new LabIcon({ name: 'jupyter-envstore:icon', svgstr: envstoreSvg });
