import * as React from 'react';
import { TextButton } from './buttons';
import { ErrorBox } from './error-box';
import { PanelContext } from './panel-context';
import { PendingFields } from './pending-fields';
import type { IProps } from './props';

/** The root of each view: it provides the context, and shows an error if the view cannot be rendered. */
export function PanelRoot(props: IProps & { children: React.ReactNode }): React.ReactElement {
  const { model, trans } = props;
  const given = React.useMemo(
    () => ({ model, trans, memory: new Map<string, unknown>(), pending: new PendingFields() }),
    [model, trans]
  );
  return (
    <PanelContext.Provider value={given}>
      <Boundary trans={trans}>{props.children}</Boundary>
    </PanelContext.Provider>
  );
}

class Boundary extends React.Component<
  Pick<IProps, 'trans'> & { children: React.ReactNode },
  { error: Error | null }
> {
  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override state: { error: Error | null } = { error: null };

  override render(): React.ReactNode {
    const { trans, children } = this.props;
    return this.state.error ? (
      <ErrorBox message={trans.__('This cannot be shown: %1', this.state.error.message)}>
        <TextButton onClick={() => this.setState({ error: null })}>{trans.__('Try again')}</TextButton>
      </ErrorBox>
    ) : (
      children
    );
  }
}
