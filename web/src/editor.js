// One side of the page: a text area over a copy of its text, which is coloured by tokens. The copy is cut where tokens end and where
// lexemes do, so each piece belongs to one of each at most.

const COLOURS = 5;
const MOST_PIECES = 40_000; // of longer texts the end is not coloured

export class Editor {
  /**
   * @param {HTMLElement} pane holds a text area and an overlay.
   * @param {{ edited: () => void, pointed: (piece: object | null) => void }} tell what to tell the page.
   */
  constructor(pane, tell) {
    this.area = pane.querySelector("textarea");
    this.overlay = pane.querySelector(".overlay");
    this.scroller = pane.querySelector(".editor");
    this.pieces = [];
    this.area.addEventListener("input", () => {
      this.plain();
      tell.edited();
    });
    this.area.addEventListener("keydown", (event) => this.#indent(event));
    this.scroller.addEventListener("pointermove", (event) => tell.pointed(this.#under(event.clientX, event.clientY)));
    this.scroller.addEventListener("pointerleave", () => tell.pointed(null));
    document.addEventListener("selectionchange", () => {
      if (document.activeElement === this.area) tell.pointed(this.at(this.area.selectionStart));
    });
  }

  get text() {
    return this.area.value;
  }

  /** Replace the text, unless it is the same: the caret stays where it is then. */
  set text(value) {
    if (this.area.value !== value) this.area.value = value;
    if (this.#shown !== value) this.plain();
  }

  #shown = null; // what the copy holds

  /** Show the text without colours, and with a mark where an error is. */
  plain(wrong = null) {
    this.pieces = [];
    this.#shown = this.text;
    const text = this.text;
    if (wrong === null) {
      this.overlay.replaceChildren(`${text}\n`);
      return;
    }
    const mark = document.createElement("span");
    mark.className = "wrong";
    const end = wrong + (/^(\w+|[^\w\n])/.exec(text.slice(wrong))?.[0].length ?? 0);
    mark.textContent = text.slice(wrong, end) || " ";
    this.overlay.replaceChildren(text.slice(0, wrong), mark, `${text.slice(end)}\n`);
  }

  /**
   * Colour the text.
   * @param {number[]} ends where tokens end; none if they are not known.
   * @param {{ starts: number[], ends: number[] }} lexemes where lexemes start and end, in order.
   * @param {Set<string>} added tokens of the dialect.
   */
  colour(ends, lexemes, added) {
    const text = this.text;
    this.#shown = text;
    this.pieces = cut(text, ends, lexemes);
    const nodes = document.createDocumentFragment();
    for (const piece of this.pieces) {
      const node = document.createElement("span");
      node.textContent = text.slice(piece.start, piece.end);
      if (piece.token >= 0) node.className = `t${piece.token % COLOURS}`;
      if (piece.token >= 0 && added.has(text.slice(ends[piece.token - 1] ?? 0, ends[piece.token]))) node.classList.add("added");
      node.piece = piece;
      piece.node = node;
      nodes.append(node);
    }
    nodes.append(`${text.slice(this.pieces.at(-1)?.end ?? 0)}\n`);
    this.overlay.replaceChildren(nodes);
  }

  /** The piece that holds an offset. */
  at(offset) {
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pieces[middle].end <= offset) low = middle + 1;
      else high = middle;
    }
    return this.pieces[low] ?? null;
  }

  /** Mark the pieces of a lexeme, and no others; bring the first into view if asked to. */
  mark(lexeme, reveal = false) {
    for (const node of this.overlay.querySelectorAll(".paired")) node.classList.remove("paired");
    const marked = lexeme < 0 ? [] : this.pieces.filter((piece) => piece.lexeme === lexeme);
    for (const piece of marked) piece.node.classList.add("paired");
    if (reveal && marked.length) this.#reveal(marked[0].node);
  }

  #reveal(node) {
    const box = node.getBoundingClientRect();
    const around = this.scroller.getBoundingClientRect();
    if (box.top < around.top || box.bottom > around.bottom) this.scroller.scrollTop += box.top - around.top - around.height / 2;
  }

  /** Put the caret at a line and a column, both from 1. */
  go(line, column) {
    const at = offsetOf(this.text, line, column);
    this.area.focus();
    this.area.setSelectionRange(at, at);
    const mark = this.overlay.querySelector(".wrong");
    if (mark) this.#reveal(mark);
  }

  #under(x, y) {
    const node = document.elementsFromPoint(x, y).find((one) => one.parentElement === this.overlay && one.piece);
    return node?.piece ?? null;
  }

  /** A new line begins with the blanks of the one above it, as in editors of Python. */
  #indent(event) {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || this.area.readOnly) return;
    const before = this.text.slice(0, this.area.selectionStart);
    const line = before.slice(before.lastIndexOf("\n") + 1);
    const blanks = /^[ \t]*/.exec(line)[0] + (/:\s*$/.test(line) ? "    " : "");
    if (!blanks) return;
    event.preventDefault();
    document.execCommand("insertText", false, `\n${blanks}`); // the one way that the undo of browsers knows
  }
}

/** The offset of a line and a column, both from 1. */
export function offsetOf(text, line, column) {
  let at = 0;
  for (let i = 1; i < line; i++) at = text.indexOf("\n", at) + 1 || text.length;
  return Math.min(at + column - 1, text.length);
}

/** The pieces of a text: `{ start, end, token, lexeme }`, where -1 is none. */
export function cut(text, ends, lexemes) {
  const pieces = [];
  let token = 0;
  let lexeme = 0;
  for (let start = 0; start < text.length && pieces.length < MOST_PIECES; ) {
    while (token < ends.length && ends[token] <= start) token++;
    while (lexeme < lexemes.ends.length && lexemes.ends[lexeme] <= start) lexeme++;
    const inside = lexeme < lexemes.ends.length && lexemes.starts[lexeme] <= start;
    const edge = lexeme < lexemes.ends.length ? (inside ? lexemes.ends[lexeme] : lexemes.starts[lexeme]) : text.length;
    const end = Math.min(edge, ends[token] ?? text.length, text.length);
    pieces.push({ start, end, token: token < ends.length ? token : -1, lexeme: inside ? lexeme : -1 });
    start = end;
  }
  return pieces;
}
