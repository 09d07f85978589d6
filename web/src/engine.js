// The page's side of the worker: one promise for each question.

export class Engine {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "python" });
  #waiting = new Map();
  #last = 0;

  constructor() {
    this.#worker.onmessage = ({ data: { id, answer, failure } }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (failure === undefined) resolve(answer);
      else reject(new Error(failure));
    };
    this.#worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message || "the worker could not be started"));
      this.#waiting.clear();
    };
  }

  /** Ask a function of web/python/page.py; its answer may hold an `error` of the toolchain. */
  ask(name, args = {}) {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, name, args });
    });
  }
}

/**
 * A task that runs with what is newest: calls while it runs make it run once more, and `isOld()` tells it to stop early. While there is
 * something to do, `busy(true)` holds.
 */
export function newest(task, busy) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    busy(true);
    try {
      do {
        again = false;
        await task(() => again);
      } while (again);
    } finally {
      running = false;
      busy(false);
    }
  };
}
