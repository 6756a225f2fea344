import * as React from 'react';
import type { Tab } from '../shared/view-types';

/** Tabs; arrow keys move between them. */
export function TabList(props: {
  tabs: [Tab, string][];
  tab: Tab;
  label: string;
  choose: (tab: Tab) => void;
}): React.ReactElement {
  const { tabs, tab, choose } = props;
  const onKeyDown = (event: React.KeyboardEvent<HTMLDivElement>) => {
    const place = tabs.findIndex(([name]) => name === tab);
    const steps: Record<string, number> = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: tabs.length - 1 };
    const target = steps[event.key];
    if (target === undefined) {
      return;
    }
    const next = (target + tabs.length) % tabs.length;
    choose(tabs[next]![0]);
    event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
    event.preventDefault();
  };
  return (
    <div role="tablist" aria-label={props.label} className="jp-EnvStore-tabs" onKeyDown={onKeyDown}>
      {tabs.map(([name, words]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={name === tab}
          aria-controls={name === tab ? `jp-EnvStore-panel-${name}` : undefined}
          tabIndex={name === tab ? 0 : -1}
          data-testid={`envstore:tab-${name}`}
          onClick={() => choose(name)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}
