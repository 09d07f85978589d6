// What the page says in words: counts, what is pointed at, and the table of dialects.

const number = new Intl.NumberFormat("en-US");

function element(name, text, className = "") {
  const node = document.createElement(name);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

/** How many percent fewer, as `simpy tokens` says it: `16.7 %`, or below zero if there are more. */
export function percentSaved(tokens, before) {
  return before ? 100 * (1 - tokens / before) : 0;
}

function comparison(tokens, before) {
  const saved = percentSaved(tokens, before);
  return element("span", `${Math.abs(saved).toFixed(1)} % ${saved < 0 ? "more" : "fewer"}`, saved < 0 ? "more" : "saved");
}

/** Tokens of a text, and beside them what they save; for SimPy, also how many there are without the tokens of the dialect. */
export function tokensOf(tokens, before = null, stock = null) {
  const nodes = document.createDocumentFragment();
  nodes.append(element("strong", number.format(tokens)), tokens === 1 ? " token" : " tokens");
  if (before) nodes.append(", ", comparison(tokens, before));
  if (before && stock !== null) {
    const more = element("span", "", "stock");
    more.append(` · vocabulary as it is: ${number.format(stock)}, `, comparison(stock, before));
    nodes.append(more);
  }
  return nodes;
}

/** What a piece of one side is: its token, its lexeme, and the same lexeme on the other side. */
export function where(node, side, piece, program) {
  const other = side === "python" ? "simpy" : "python";
  node.replaceChildren();
  const ends = program.tokens?.[side] ?? [];
  if (piece.token >= 0 && ends.length) {
    const text = program[side].slice(ends[piece.token - 1] ?? 0, ends[piece.token]);
    node.append(`Token ${number.format(piece.token + 1)} of ${number.format(ends.length)} `, element("code", visible(text)));
  }
  if (piece.lexeme < 0) return;
  const [here, there] = [side, other].map((one) => {
    const { starts, ends: stops } = program.lexemes[one];
    return program[one].slice(starts[piece.lexeme], stops[piece.lexeme]);
  });
  const name = side === "python" ? "SimPy" : "Python";
  node.append(" · ", element("code", visible(here)), " is ");
  if (there) node.append(element("code", visible(there)), ` in ${name}`);
  else node.append(side === "python" ? "implied in SimPy" : "layout in Python");
  const terminal = program.terminals[piece.lexeme];
  if (/^\w+$/.test(terminal)) node.append(` (${terminal})`);
}

function visible(text) {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣");
}

/** The table of dialects; a click on a name chooses it. */
export function showTable(table, answer, chosen, choose) {
  table.hidden = Boolean(answer.error);
  if (answer.error) return;
  const [python] = answer.rows;
  table.querySelector("tbody").replaceChildren(...answer.rows.map((row) => {
    const line = document.createElement("tr");
    const head = document.createElement("th");
    const button = element("button", row.dialect);
    const isSource = row === python;
    head.scope = "row";
    line.className = row.dialect === chosen ? "chosen" : "";
    button.type = "button";
    button.addEventListener("click", () => choose(row.dialect));
    head.append(isSource ? "Python as it is" : button);
    const cells = [row.added, row.stock].flatMap((tokens) => [number.format(tokens), isSource || !python.stock ? "" : comparison(tokens, python.stock)]);
    line.append(head, ...cells.map((cell) => {
      const data = element("td", "", "number");
      data.append(cell);
      return data;
    }));
    return line;
  }));
}
