// What browsers have and jsdom lacks.
const { TextDecoder, TextEncoder } = require('util');
Object.assign(globalThis, { TextDecoder, TextEncoder });
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
globalThis.DragEvent ??= class DragEvent extends Event {};
globalThis.fetch ??= () => Promise.reject(new Error('no network in unit tests'));
globalThis.Request ??= class Request {};
globalThis.Response ??= class Response {};
globalThis.Headers ??= class Headers {};
globalThis.matchMedia ??= () => ({ matches: false, addEventListener() {}, removeEventListener() {} });
