import * as React from 'react';

/** The number of rows that are rendered or removed together. */
export const CHUNK = 40;
const ROW = 24;
const AHEAD = '600px 0px';

/** Renders only the rows near the visible part, so that a thousand rows cost as much as a screen of them. */
export function WindowedRows<T>(props: {
  items: readonly T[];
  /** Whether an item must stay rendered although it is far away, since it has the focus or will get it. */
  keep: (item: T) => boolean;
  draw: (item: T, place: number) => React.ReactNode;
}): React.ReactElement {
  const { items, keep, draw } = props;
  if (items.length <= CHUNK) {
    return <>{items.map(draw)}</>;
  }
  const starts = Array.from({ length: Math.ceil(items.length / CHUNK) }, (_, number) => number * CHUNK);
  return (
    <>
      {starts.map(start => {
        const part = items.slice(start, start + CHUNK);
        return (
          <RowWindow key={start} count={part.length} first={start === 0} keep={part.some(keep)}>
            {() => part.map((item, place) => draw(item, start + place))}
          </RowWindow>
        );
      })}
    </>
  );
}

function RowWindow(props: {
  count: number;
  first: boolean;
  keep: boolean;
  children: () => React.ReactNode;
}): React.ReactElement {
  const [isNear, setNear] = React.useState(props.first);
  const box = React.useRef<HTMLDivElement>(null);
  React.useEffect(() => {
    const root = box.current!.closest('.jp-EnvStore-scroll');
    const observer = new IntersectionObserver(entries => setNear(entries.pop()!.isIntersecting), {
      root,
      rootMargin: AHEAD
    });
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  const isDrawn = isNear || props.keep;
  return (
    <div ref={box} role="presentation" style={isDrawn ? undefined : { height: props.count * ROW }}>
      {isDrawn && props.children()}
    </div>
  );
}
