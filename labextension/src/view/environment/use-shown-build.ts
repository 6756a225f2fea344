import * as React from 'react';
import { type ILoaded, useLoaded, useStale } from '../../components/hooks';
import type { EnvStoreModel } from '../../store/model';
import type { IBuild, IEnvironment, IPlace } from '../../store/types';
import type { IShow } from '../shared/view-types';
import type { IViewProps } from './tab-props';

/** The environment of a view, and the build of it that is shown. */
export interface IShownBuild {
  /** The environment; as it was last seen, where it is not there any more. Undefined where it was never seen. */
  item: IEnvironment | undefined;
  /** Whether the environment is there. */
  isThere: boolean;
  /** The build that is shown; undefined until one is loaded. */
  build: IBuild | undefined;
  /** All builds of the environment, as far as they are listed. */
  builds: ILoaded<{ builds: IBuild[]; count: number }>;
  /** The build that is wanted, while it is being loaded too. */
  detail: ILoaded<IBuild>;
  /** Whether the build that is wanted is the one that is shown. */
  isLoaded: boolean;
  /** Whether the build that is wanted was made just now, so that another one is not shown in its place. */
  isMaking: boolean;
  /** Whether the build that is wanted was deleted. */
  isGone: boolean;
  /** Number of a build that was chosen and deleted; the view went on with the active one. */
  lost: number | null;
  /** Say that the user knows of the lost build. */
  forgetLost: () => void;
  /** Show a build; null for the active one, whichever it is. */
  choose: (build: number | null) => void;
}

/** Load the build that a view shows, and turn to another one where it must. */
export function useShownBuild(props: IViewProps & { first: number | null }, asked: IShow): IShownBuild {
  const { model, place } = props;
  const [chosen, setChosen] = React.useState<number | null>(props.first);
  const [lost, setLost] = React.useState<number | null>(null);
  const choose = React.useCallback((id: number | null) => {
    setChosen(id);
    setLost(null);
  }, []);
  useActivated(model, place, choose);
  const lastBuild = React.useRef<IBuild | undefined>(undefined);
  const numbers = React.useRef(new Map<number, number>());
  const found = model.find(place);
  const kept = React.useRef<IEnvironment | undefined>(undefined);
  kept.current = found ?? kept.current;
  const item = kept.current;
  const current = item?.current_build_id ?? null;
  const wasActive = React.useRef(current);
  if (current !== wasActive.current) {
    // whoever looked at the active build goes on to the one that is active now; as the new one, it is nothing chosen
    if (chosen !== null && (chosen === current || chosen === wasActive.current)) {
      setChosen(null);
    }
    wasActive.current = current;
  }
  const wanted = chosen ?? current;
  const builds = useLoaded(found && item ? () => model.api.builds(item.id) : null, [item?.id, item?.newest_build_id]);
  useStale(model, null, builds.reload);
  const detail = useLoaded(found && wanted ? () => model.api.build(wanted) : null, [wanted, item?.newest_build_id]);
  useStale(model, wanted, detail.reload);

  for (const known of builds.value?.builds ?? []) {
    numbers.current.set(known.id, known.number);
  }
  const listed = builds.value?.builds.find(build => build.id === wanted);
  // one that was never listed is not gone: it was made a moment ago, and the list is older
  const wasListed = wanted !== null && numbers.current.has(wanted);
  const isGone = Boolean(builds.value && wasListed && !listed && builds.value.count <= builds.value.builds.length);
  if (isGone && found && chosen !== null) {
    setLost(numbers.current.get(chosen) ?? null); // deleted by somebody: the view goes on with the active one
    setChosen(null);
  }
  // what was shown stays until the other build is there: whoever types in it must not be interrupted
  const loaded = detail.value?.id === wanted ? merged(detail.value, listed, current) : undefined;
  lastBuild.current = loaded ?? lastBuild.current;
  const isMaking = asked.isNew === true && asked.build === wanted && lastBuild.current?.id !== wanted;
  const build = item && lastBuild.current?.environment_id === item.id && !isMaking ? lastBuild.current : undefined;
  return {
    ...{ item, build, builds, detail, isMaking, isGone, lost, choose },
    isThere: found !== undefined,
    isLoaded: loaded !== undefined,
    forgetLost: () => setLost(null)
  };
}

/** Turn to the active build whenever a build of the environment is made the active one. */
function useActivated(model: EnvStoreModel, place: IPlace, choose: (build: null) => void): void {
  React.useEffect(() => {
    const slot = (_: unknown, activated: IPlace) => {
      if (activated.namespace === place.namespace && activated.name === place.name) {
        choose(null);
      }
    };
    model.activated.connect(slot);
    return () => {
      model.activated.disconnect(slot);
    };
  }, [model, place.namespace, place.name]);
}

/**
 * Combine a build with its newer state in the list. Whether it is active is decided by the environment: the list may be
 * older, and a draft must not lose its build because of that.
 */
function merged(detail: IBuild, listed: IBuild | undefined, current: number | null): IBuild {
  const { specification, locked_platforms, warnings } = detail;
  const active = detail.id === current;
  return { ...detail, ...listed, active, specification, ...(locked_platforms ? { locked_platforms } : {}), ...(warnings ? { warnings } : {}) };
}
