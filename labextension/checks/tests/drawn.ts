/** A place in the page that each test draws into; it is there before each test, and gone behind it. */
import * as React from 'react';
import { type Root, createRoot } from 'react-dom/client';

export const act: (callback: () => unknown) => any = (React as any).act; // its types are those of React 18.2
(globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;

export let node: HTMLElement;
export let root: Root;

beforeEach(() => {
  node = document.createElement('div');
  document.body.appendChild(node);
  root = createRoot(node);
});

afterEach(() => {
  act(() => root.unmount());
  node.remove();
});

/** Draw an element into the place. */
export function draw(element: React.ReactElement): void {
  act(() => root.render(element));
}
