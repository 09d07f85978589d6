/* Brackets of Python, among them those of `with` and `import`, which may mean more than themselves; and strings with fields. */

#include "python_lexer.h"

static Result push_bracket(PythonReader *r, Bracket bracket) {
    if (r->bracket_count == r->bracket_room) {
        void *brackets = r->brackets;
        TRY(array_reserve(&brackets, &r->bracket_room, r->bracket_count + 1, sizeof(Bracket)));
        r->brackets = brackets;
    }
    if (bracket.is_undecided && !r->undecided++)
        r->first_undecided = r->bracket_count;
    r->brackets[r->bracket_count++] = bracket;
    return DONE;
}

/* Put the text of a field in the place of its tokens, if it is kept as it stands. */
static Result keep_text(PythonReader *r, Bracket *field, size_t end) {
    if (!field->is_undecided)
        return DONE; /* it has a conversion, too */
    field->is_undecided = 0;
    r->undecided--;
    if (!field->keeps_text)
        return DONE;
    Token *opening = &r->queue[field->index - r->taken];
    uint32_t base = python_base(r), at = field->offset + 1;
    opening->is_mark = 1;
    opening->form = FORM_TEXT;
    opening->at = field->offset;
    opening->size = 1;
    return add(r, r->tokens->field_verbatim, FORM_VERBATIM, at, base + (uint32_t)end - at, at, base + (uint32_t)end);
}

/* The bracket after `with` closes before the colon: the token of its end, by what stands in it. It is the statement's own if it
   holds several items, or one with a name or a comma. Own brackets are left out, unless a comment needs them. */
static Result close_items(PythonReader *r, size_t index, int *token) {
    const PythonTokens *k = r->tokens;
    const Token *queue = r->queue;
    size_t commas = 0, names = 0, last_comma = 0;
    long depth = 0;
    int before = k->comma, has_comments = 0;
    for (size_t i = index + 1; i < r->queue_count; i++) {
        int key = queue[i].token;
        if (key == INNER_TOKEN) {
            has_comments = 1;
            continue;
        }
        if (!depth && (key == k->walrus || key == k->for_ || key == k->yield_ || (key == k->star && before == k->comma)))
            return DONE;
        commas += !depth && key == k->comma;
        names += !depth && key == k->as;
        if (key == k->comma)
            last_comma = i;
        if (key == k->signs['('].alone || key == k->signs['['].alone || key == k->signs['{'].alone || key == k->field_start)
            depth++;
        else if (key == k->signs[')'].alone || key == k->signs[']'].alone || key == k->close_brace)
            depth--;
        before = key;
    }
    if (!commas && !names)
        return DONE;
    if (!has_comments) {
        r->queue[index].token = k->with_open;
        *token = k->with_close;
    } else if (commas == 1 && before == k->comma && !names) /* one item: without its comma it is an expression in parentheses */
        python_delete_token(r, last_comma);
    else {
        Token open = r->queue[index];
        TRY(python_insert_token(r, index, (Token){open.end, 0, open.end, open.end, open.comments_before, k->with_around, FORM_EMPTY, 0}));
    }
    return DONE;
}

/* Close a bracket that is not like any other. */
Result python_close_bracket(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    Bracket *bracket = top_bracket(r);
    int token = piece->token;
    if (bracket == NULL || closer_of(bracket->kind) != data[piece->at])
        return CANNOT;
    if (bracket->kind == FIELD) {
        TRY(keep_text(r, bracket, piece->at));
        r->fields--;
    } else if (bracket->owner == WORD_WITH) {
        size_t at = python_after_blanks(data, piece->end);
        if (is_to_come(r, at, final)) {
            wait_at(r, piece->at, went);
            return DONE;
        }
        if (data[at] == ':')
            TRY(close_items(r, bracket->index - r->taken, &token));
    } else if (bracket->owner) {
        size_t index = bracket->index - r->taken, i = index;
        while (i < r->queue_count && r->queue[i].token != INNER_TOKEN)
            i++;
        if (i == r->queue_count) {
            r->queue[index].token = k->import_open;
            token = k->import_close;
        }
    }
    if (bracket->owner)
        r->undecided--;
    python_put_comma_last(r);
    r->bracket_count--;
    *went = piece->end;
    return add_text(r, token, piece->at, piece->end);
}

Result python_open_bracket(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    uint8_t owner = 0;
    if (!r->bracket_count && r->word && data[piece->at] == '(') {
        /* the first bracket of `def`, `with` or `from ... import` may be the statement's own */
        if (r->word == WORD_DEF) {
            size_t at = python_after_lines(data, piece->end, r->length, 0);
            if (is_to_come(r, at, final)) {
                wait_at(r, piece->at, went);
                return DONE;
            }
            r->word = WORD_OTHER; /* a bracket after the parameters is another */
            if (data[at] == ')') {
                *went = at + 1;
                return python_add_fixed(r, k->empty_parameters, FORM_PARAMETERS, at + 1);
            }
        } else {
            int last = last_token(r);
            if (last == k->begin_with || last == k->import || last == k->begin_future) {
                owner = r->word;
                r->word = WORD_OTHER;
            }
        }
    }
    Bracket bracket = {0};
    bracket.offset = python_base(r) + (uint32_t)piece->at;
    bracket.kind = (uint8_t)data[piece->at];
    bracket.owner = owner;
    bracket.is_undecided = owner != 0;
    bracket.index = r->taken + r->queue_count;
    TRY(push_bracket(r, bracket));
    *went = piece->end;
    return add_text(r, piece->token, piece->at, piece->end);
}

static char string_quote(const Bracket *string) { return string->quote % 2 ? '\'' : '"'; }

static int string_name(int triple, char quote) { return (triple ? 3 : 1) * (quote == '"' ? 2 : 1); }

static Result open_string(PythonReader *r, const Piece *piece) {
    const char *data = python_text(r);
    char quote = data[piece->end - 1];
    size_t prefix = piece->at;
    int raw = 0;
    uint8_t keeps_text = 0;
    for (; data[prefix] != quote; prefix++) {
        raw |= (data[prefix] | 0x20) == 'r';
        keeps_text |= (data[prefix] | 0x20) == 't';
    }
    Bracket bracket = {0};
    bracket.offset = python_base(r) + (uint32_t)piece->at;
    bracket.kind = IN_STRING;
    bracket.quote = (uint8_t)string_name(piece->end - prefix == 3, quote);
    bracket.is_raw = (uint8_t)raw;
    bracket.keeps_text = keeps_text;
    TRY(push_bracket(r, bracket));
    return add_text(r, r->tokens->string_start[raw][bracket.quote], piece->at, piece->end);
}

Result python_read_string(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    size_t end = piece->end;
    *went = end;
    if (piece->kind == FORMATTED && !final) { /* the quotes may become three */
        char quote = data[end - 1];
        size_t rest = r->length - end;
        if (rest == 0 || (rest == 1 && data[end] == quote)) {
            wait_at(r, piece->at, went);
            return DONE;
        }
    }
    int last = last_token(r);
    if (last == k->string || last == k->string_end[1] || last == k->string_end[2] || last == k->string_end[3] || last == k->string_end[6])
        TRY(add_empty(r, k->concat, piece->at));
    if (piece->kind == FORMATTED)
        return open_string(r, piece);
    return add_text(r, k->string, piece->at, end);
}

/* The end of the text of a string with fields that stands there. */
static size_t after_string_text(const char *data, size_t at, size_t length, const Bracket *string) {
    char quote = string_quote(string);
    int triple = string->quote >= 3, raw = string->is_raw;
    while (at < length) {
        char byte = data[at];
        if (byte == '{' || byte == '}') {
            if (data[at + 1] != byte)
                break;
            at += 2;
        } else if (byte == '\\') {
            if (at + 1 >= length)
                break;
            char escaped = data[at + 1];
            if (escaped == '{' || escaped == '}')
                at++;
            else if (raw || escaped != 'N' || data[at + 2] != '{')
                at += 2;
            else {
                size_t name = at + 3;
                while (name < length && data[name] != '{' && data[name] != '}' && data[name] != '\n')
                    name++;
                if (name >= length || data[name] != '}')
                    break;
                at = name + 1;
            }
        } else if (byte == quote) {
            if (!triple || is_triple(data, at))
                break;
            at++;
        } else if (byte == '\n' && !triple)
            break;
        else
            at++;
    }
    return at;
}

static Result open_field(PythonReader *r, const Bracket *around, size_t at, int final) {
    const char *data = python_text(r);
    size_t first = python_after_lines(data, at + 1, r->length, 1);
    if (is_to_come(r, first, final))
        return DONE;
    uint32_t base = python_base(r);
    Bracket field = {0};
    field.offset = base + (uint32_t)at;
    field.kind = FIELD;
    field.is_undecided = 1;
    field.keeps_text = around->kind == IN_STRING && around->keeps_text;
    field.index = r->taken + r->queue_count;
    TRY(push_bracket(r, field));
    r->fields++;
    r->at = at + 1;
    int spaced = data[first] == '{' && memchr(data + at, '#', first - at) == NULL;
    return add(r, r->tokens->field_start, spaced ? FORM_FIELD_SPACE : FORM_TEXT, base + (uint32_t)at, 1, base + (uint32_t)at,
               base + (uint32_t)at + 1);
}

/* Up to the end of the text or the next field. */
Result python_read_text(PythonReader *r, int final) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    const Bracket *top = top_bracket(r);
    size_t length = r->length, at = r->at, end = at;
    int in_format = top->kind == IN_FORMAT;
    if (in_format)
        while (end < length && data[end] != '{' && data[end] != '}')
            end++;
    else
        end = after_string_text(data, at, length, top);
    if (end > at) {
        if (end == length && !final)
            return DONE;
        TRY(add_text(r, in_format ? k->format_text : k->string_text[top->is_raw][top->quote], at, end));
        r->at = at = end;
    }
    if (at < length && data[at] == '{') {
        if (!in_format && at + 1 == length && !final)
            return DONE;
        return open_field(r, top, at, final);
    }
    if (in_format) {
        if (at == length)
            return final ? CANNOT : DONE;
        r->bracket_count -= 2; /* with the field whose format it is */
        r->fields--;
        r->at = at + 1;
        return add_text(r, k->close_brace, at, at + 1);
    }
    char quote = string_quote(top);
    size_t size = top->quote >= 3 ? 3 : 1;
    if (at < length && data[at] == quote && (size == 1 || is_triple(data, at))) {
        int token = k->string_end[top->quote];
        r->bracket_count--;
        r->at = at + size;
        return add_text(r, token, at, at + size);
    }
    if (at == length)
        return final ? CANNOT : DONE;
    if (data[at] == '}')
        return final || at + 1 < length ? CANNOT : DONE;
    return data[at] == '\\' && !final ? DONE : CANNOT;
}

Result python_read_in_field(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    Bracket *field = top_bracket(r);
    size_t at = piece->at, end = piece->end;
    *went = end;
    if (field->kind != FIELD)
        return add_text(r, piece->token, at, end);
    if (data[at] == ':') { /* of its format */
        TRY(keep_text(r, field, at));
        TRY(add_text(r, k->colon, at, at + 1));
        Bracket format = {0};
        format.offset = python_base(r) + (uint32_t)at;
        format.kind = IN_FORMAT;
        *went = at + 1;
        return push_bracket(r, format);
    }
    if (data[at] == '!') {
        while (is_name_byte(data[end]) && !is_digit(data[end]) && !(data[end] & 0x80))
            end++;
        if (end == piece->end || (end == r->length && !final)) {
            if (final)
                return CANNOT;
            wait_at(r, at, went);
            return DONE;
        }
        TRY(keep_text(r, field, at));
        *went = end;
        return add_text(r, k->field_conversion, at, end);
    }
    size_t next = python_after_lines(data, end, r->length, 1);
    if (is_to_come(r, next, final)) {
        wait_at(r, at, went);
        return DONE;
    }
    if ((data[next] == '!' && data[next + 1] != '=') || data[next] == ':' || data[next] == '}') {
        field->keeps_text = 1;
        *went = next;
        return DONE;
    }
    return add_text(r, piece->token, at, end);
}
