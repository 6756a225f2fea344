export { CommandIDs } from './ids';
export { Context } from './context';
export { addChangingCommands } from './change';
export { addShowingCommands } from './show';
export { addUsingCommands } from './use';
