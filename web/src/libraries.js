// The tokenizers that Python may ask for, as plain functions of strings: what crosses over to Python is text and JSON only.
// web/python/stand_ins/ puts the names of the Python libraries on them.
import { Tokenizer } from "@huggingface/tokenizers";

/** A vocabulary from the text of a tokenizer.json. */
export function huggingFace(text) {
  const content = JSON.parse(text);
  const tokenizer = new Tokenizer(content, {});
  const idsOf = content.model.type === "Unigram" && content.model.byte_fallback ? withBytes(tokenizer, content.model.unk_id) : ({ ids }) => ids;
  const decoding = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
  return {
    encode: (texts) => JSON.stringify(JSON.parse(texts).map((one) => idsOf(tokenizer.encode(one, { add_special_tokens: false })))),
    decode: (rows) => JSON.stringify(JSON.parse(rows).map((ids) => (ids.length ? tokenizer.decode(ids, decoding) : ""))),
    token_to_id: (name) => tokenizer.token_to_id(name),
  };
}

/** The library writes a character that a Unigram model does not know as unknown, also where the model has bytes to write it with. */
function withBytes(tokenizer, unknown) {
  const encoder = new TextEncoder();
  const idOf = (byte) => tokenizer.token_to_id(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  return ({ ids, tokens }) =>
    ids.flatMap((id, i) => {
      const bytes = id === unknown ? Array.from(encoder.encode(tokens[i]), idOf) : [];
      return bytes.length && !bytes.includes(undefined) ? bytes : [id];
    });
}

/** A vocabulary of gpt-tokenizer: its ranks (id -> text, or bytes that are not text) and its encoding. */
export function gptTokenizer(ranks, encoding) {
  const ordinary = { disallowedSpecial: new Set() };
  const encoder = new TextEncoder();
  const latin1 = (bytes) => String.fromCharCode(...bytes);
  const bytesOf = (number) => latin1(typeof ranks[number] === "string" ? encoder.encode(ranks[number]) : ranks[number]);
  const core = encoding.bytePairEncodingCoreProcessor;
  return {
    encode: (text) => JSON.stringify(encoding.encode(text, ordinary)),
    bytes_of: (numbers) => JSON.stringify(JSON.parse(numbers).map(bytesOf)),
    id_of: (bytes) => core.getBpeRankFromBytes(Uint8Array.from(bytes, (char) => char.charCodeAt(0))),
    special_tokens: () => JSON.stringify(Object.fromEntries(encoding.specialTokensEncoder)),
  };
}
