/* The lexer of Python: text to tokens, whole or in pieces. It knows lines, indents, brackets, strings and words, and no grammar.

   Text is cut into pieces, each a token or blanks. The last piece of what has arrived waits for more, as it may become longer. */

#include "python_lexer.h"

/* The piece of text that stands there, which is not its end. */
static inline void scan(const PythonReader *r, size_t at, Piece *piece) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    unsigned char byte = (unsigned char)data[at];
    size_t end = at + 1;
    piece->at = at;
    piece->word = NULL;
    piece->token = UNKNOWN_TOKEN;
    piece->kind = k->first[byte];
    switch (piece->kind) {
    case NAME: {
        end = after_name(data, at);
        int kind = data[end] == '"' || data[end] == '\'' ? python_prefix_kind(data + at, end - at) : 0;
        if (kind == FORMATTED) {
            piece->kind = FORMATTED;
            end += is_triple(data, end) ? 3 : 1;
        } else if (kind) {
            int may_come;
            size_t found = python_string_end(data, end, r->length, &may_come);
            piece->kind = found ? STRING : BAD;
            piece->token = k->string;
            end = found ? found : end + 1;
        } else {
            piece->token = k->name;
            piece->word = python_find_word(k, data + at, end - at);
            if (piece->word) {
                piece->token = piece->word->plain;
                piece->kind = piece->word->which >= WORD_LAMBDA ? WORD : NAME;
            }
        }
        break;
    }
    case BLANKS:
        while (is_blank(data[end]))
            end++;
        break;
    case BACKSLASH:
        if (data[end] != '\n') {
            piece->kind = BAD;
            break;
        }
        end = python_after_blanks(data, at);
        piece->kind = BLANKS;
        break;
    case LINE_END:
        for (;;) {
            while (is_blank(data[end]))
                end++;
            if (data[end] != '\n')
                break;
            end++;
        }
        break;
    case DOT:
        if (is_digit(data[end])) {
            end = python_after_number(data, at);
            piece->kind = DIGIT;
            piece->token = k->number;
        } else if (data[end] == '.' && data[end + 1] == '.') {
            end += 2;
            piece->kind = SIGN;
            piece->token = k->ellipsis;
        } else {
            piece->kind = SIGN;
            piece->token = k->dot;
        }
        break;
    case DIGIT:
        end = python_after_number(data, at);
        piece->token = k->number;
        break;
    case QUOTE: {
        int may_come;
        size_t found = python_string_end(data, at, r->length, &may_come);
        piece->kind = found ? STRING : BAD;
        piece->token = k->string;
        end = found ? found : end;
        break;
    }
    case HASH:
        end = python_line_feed_from(data, at, r->length);
        break;
    case COLON:
        piece->token = k->colon;
        if (data[end] == '=') {
            end++;
            piece->kind = IN_FIELD;
            piece->token = k->walrus;
        }
        break;
    case SIGN: {
        const Sign *sign = &k->signs[byte];
        piece->token = sign->alone;
        if (sign->can_double && (unsigned char)data[end] == byte) {
            end++;
            piece->token = sign->twice;
            if (data[end] == '=') {
                end++;
                piece->token = sign->twice_with_equals;
            }
        } else if (data[end] == '=' && sign->can_equal) {
            end++;
            piece->token = sign->with_equals;
        } else if (byte == '-' && data[end] == '>') {
            end++;
            piece->token = k->arrow;
        } else if (byte == '!' || byte == '=')
            piece->kind = IN_FIELD;
        break;
    }
    case OPEN:
    case CLOSE:
    case COMMA:
    case TILDE:
        piece->token = k->signs[byte].alone;
        break;
    default:
        break;
    }
    piece->end = end;
}

static Result begin_from(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    size_t length = r->length, end = piece->end, blanks = python_after_blanks(data, end);
    size_t future = 0, after = 0, first_dot = blanks, dots = 0;
    int begun_future = 0;
    if (blanks > end && length - blanks >= 10 && memcmp(data + blanks, "__future__", 10) == 0) {
        after = python_after_blanks(data, blanks + 10);
        if (after > blanks + 10 && length - after >= 6 && memcmp(data + after, "import", 6) == 0 && !is_name_byte(data[after + 6]))
            future = after + 6;
    }
    size_t reached = blanks;
    while (!future && data[reached] == '.') {
        dots++;
        reached = python_after_blanks(data, reached + 1);
    }
    if (future)
        reached = future;
    else if (!dots) { /* whether it may become an import from __future__ */
        reached = python_after_lines(data, end, length, 1);
        size_t size = length - reached;
        if (size <= 10)
            begun_future = memcmp(data + reached, "__future__", size) == 0;
        else if (memcmp(data + reached, "__future__", 10) == 0) {
            size_t word = python_after_blanks(data, reached + 10);
            size_t rest = length - word - (data[length - 1] == '\\');
            begun_future = word == length || (word > reached + 10 ? rest <= 6 && memcmp(data + word, "import", rest) == 0 : rest == 0);
        }
    }
    if (is_to_come(r, reached, final) || (!final && begun_future)) {
        r->first = 1;
        r->fresh = 0;
        *went = NOWHERE;
        return DONE;
    }
    *went = future ? future : dots ? reached : end;
    if (future)
        return python_add_fixed(r, k->begin_future, FORM_FUTURE, future);
    TRY(add_text(r, piece->word->begins, piece->at, end));
    if (!dots)
        return DONE;
    if (reached == first_dot + dots)
        return add_text(r, k->import_prefix, first_dot, reached);
    uint32_t until = python_base(r) + (uint32_t)reached;
    return add(r, k->import_prefix, FORM_DOTS, until, (uint32_t)dots, until - (uint32_t)dots, until);
}

/* Whether a soft keyword is one where a statement begins; -1 if the word after it is still to come. */
static int is_keyword(const PythonReader *r, const Word *soft, size_t end, int final) {
    if (soft->which == WORD_CASE)
        return r->fresh && r->indents[r->indent_count - 1].has_cases;
    if (soft->which != WORD_TYPE && soft->which != WORD_LAZY)
        return 0;
    const char *data = python_text(r);
    size_t at = python_after_blanks(data, end), after = at;
    if (at > end && is_name_start(data[at]))
        after = after_name(data, at);
    if (is_to_come(r, after, final))
        return -1;
    if (after == at)
        return 0;
    const Word *word = python_find_word(r->tokens, data + at, after - at);
    if (soft->which == WORD_TYPE)
        return word == NULL || word->is_soft;
    return word != NULL && (word->which == WORD_FROM || (word->size == 6 && memcmp(word->text, "import", 6) == 0));
}

/* Begin a statement; `went` is 0 if its first token is like any other. */
static Result start_statement(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    const Word *word = piece->word;
    uint8_t fresh = r->fresh;
    int statement = word ? word->statement : BEGINS_NOTHING;
    if (word && word->is_soft) {
        int keyword = is_keyword(r, word, piece->end, final);
        if (keyword < 0) {
            *went = NOWHERE;
            return DONE;
        }
        statement = keyword ? statement : BEGINS_NOTHING;
    } else if (statement == BEGINS_COMPOUND && !fresh)
        statement = BEGINS_NOTHING;
    r->first = r->fresh = 0;
    r->lambdas = 0;
    *went = piece->end;
    if (statement == BEGINS_NOTHING) {
        if (piece->kind == SEMICOLON)
            return add_text(r, UNKNOWN_TOKEN, piece->at, piece->end);
        if (r->simple)
            TRY(add_empty(r, k->line_sep, piece->at));
        r->simple = 1;
        if (word && word->which == WORD_MATCH && fresh)
            r->soft = r->queue_count;
        if (data[piece->at] == '@' && piece->end == piece->at + 1)
            return add_text(r, k->begin_decorator, piece->at, piece->end);
        *went = 0;
        return DONE;
    }
    r->word = word->which == WORD_DEF || word->which == WORD_WITH || word->which == WORD_FROM ? word->which : WORD_OTHER;
    if (statement == BEGINS_SIMPLE) {
        r->simple = 1;
        if (word->which == WORD_FROM)
            return begin_from(r, piece, final, went);
    } else if (statement == BEGINS_COMPOUND) {
        r->header = 1;
        if (word->which == WORD_EXCEPT) {
            size_t at = python_after_blanks(data, piece->end);
            if (is_to_come(r, at, final) || (!final && at + 1 == r->length && data[at] == '*')) {
                r->first = r->fresh = 1;
                r->header = 0;
                *went = NOWHERE;
                return DONE;
            }
            if (data[at] == '*' && data[at + 1] != '*') {
                *went = at + 1;
                return python_add_fixed(r, k->begin_except_star, FORM_EXCEPT_STAR, at + 1);
            }
        }
    } else {
        r->first = 1;
        r->fresh = fresh;
    }
    return add_text(r, word->begins, piece->at, piece->end);
}

static Result read_number(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const char *data = python_text(r);
    size_t at = piece->at, end = piece->end, i = at;
    while (i < end && (is_digit(data[i]) || data[i] == '_'))
        i++;
    *went = end;
    if (i < end)
        return add_text(r, piece->token, at, end);
    if (data[at] == '0') { /* more than zeros, in one run of digits */
        size_t first = at, last = end;
        while (first < last && (data[first] == '0' || data[first] == '_'))
            first++;
        while (last > first && (data[last - 1] == '0' || data[last - 1] == '_'))
            last--;
        if (first < last && memchr(data + first, '_', last - first) == NULL)
            return CANNOT;
    }
    size_t dot = r->bracket_count ? python_after_lines(data, end, r->length, 0) : python_after_blanks(data, end);
    if (dot > end) {
        int has_dot = data[dot] == '.' && data[dot + 1] != '.' && !is_digit(data[dot + 1]);
        if (is_to_come(r, dot + (size_t)has_dot, final)) {
            wait_at(r, at, went);
            return DONE;
        }
        if (has_dot) {
            TRY(add_text(r, piece->token, at, end));
            *went = dot + 1;
            return python_add_fixed(r, r->tokens->number_dot, FORM_NUMBER_DOT, dot + 1);
        }
    }
    return add_text(r, piece->token, at, end);
}

/* `not` and `is`, which the next word may join. */
static Result read_joined(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const char *data = python_text(r);
    int is_not = piece->word->which == WORD_IS;
    const char *second = is_not ? "not" : "in";
    size_t size = is_not ? 3 : 2, length = r->length, end = piece->end;
    size_t at = r->bracket_count ? python_after_lines(data, end, length, 1) : python_after_blanks(data, end);
    size_t rest = length - at;
    int to_come = is_to_come(r, at, 0) || (rest <= size && memcmp(data + at, second, rest) == 0);
    if (to_come && !final) {
        wait_at(r, piece->at, went);
        return DONE;
    }
    *went = end;
    if (to_come || rest < size || memcmp(data + at, second, size) != 0 || is_name_byte(data[at + size]))
        return add_text(r, piece->token, piece->at, end);
    for (size_t i = end; i < at;) {
        if (data[i] != '#') {
            i++;
            continue;
        }
        size_t line = python_line_feed_from(data, i, at);
        TRY(python_inner_comment(r, i, line));
        i = line;
    }
    *went = at + size;
    return python_add_fixed(r, is_not ? r->tokens->is_not : r->tokens->not_in, is_not ? FORM_IS_NOT : FORM_NOT_IN, at + size);
}

/* A colon, which may end a header. */
static Result read_colon(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const char *data = python_text(r);
    size_t end = piece->end, at = end;
    *went = end;
    if (r->bracket_count || r->lambdas || !r->header) {
        r->lambdas -= r->lambdas && !r->bracket_count;
        return add_text(r, piece->token, piece->at, end);
    }
    if (data[end] != '\n') {
        at = python_after_blanks(data, end);
        if (is_to_come(r, at, final)) {
            wait_at(r, piece->at, went);
            return DONE;
        }
    }
    r->opening = 1;
    r->header = 0;
    if (at == r->length || data[at] == '#' || data[at] == '\n') {
        r->simple = 0;
        return DONE;
    }
    const Indent *top = &r->indents[r->indent_count - 1];
    TRY(python_open_block(r, top->column + 1, top->narrow + 1, at, 1));
    r->has_indent = 0;
    r->first = 1;
    r->fresh = 0;
    return DONE;
}

static Result read_bad(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const char *data = python_text(r);
    size_t quote = piece->end - 1;
    int may_come = 0;
    if (!final && (data[quote] == '\'' || data[quote] == '"'))
        python_string_end(data, quote, r->length, &may_come);
    if (!may_come)
        return CANNOT;
    wait_at(r, piece->at, went);
    return DONE;
}

static Result add_odd_name(PythonReader *r, size_t at, size_t end) {
    void *odd = r->odd;
    TRY(array_reserve(&odd, &r->odd_room, r->odd_count + 1, sizeof(Lexeme)));
    r->odd = odd;
    uint32_t start = python_base(r) + (uint32_t)at;
    r->odd[r->odd_count++] = (Lexeme){start, (uint32_t)(end - at), start, T_NAME, 0};
    return DONE;
}

static inline int is_ascii(const char *data, size_t at, size_t end) {
    unsigned char all = 0;
    for (; at < end; at++)
        all |= (unsigned char)data[at];
    return all < 0x80;
}

static int never_longer(int kind) { return kind == OPEN || kind == CLOSE || kind == COMMA || kind == SEMICOLON || kind == TILDE; }

/* Read tokens up to the start of a line or of the text of a string. `goes_on` is cleared if that must arrive first. */
static Result read_tokens(PythonReader *r, int final, int *goes_on) {
    const char *data = python_text(r);
    *goes_on = 1;
    while (r->at < r->length) {
        Piece piece;
        size_t went = 0;
        scan(r, r->at, &piece);
        if (piece.end == r->length && !final && !never_longer(piece.kind)) {
            python_hold(r, r->at);
            *goes_on = 0;
            return DONE;
        }
        if (piece.kind == BLANKS) {
            r->at = piece.end;
            continue;
        }
        if (piece.kind == LINE_END) {
            if (r->bracket_count) {
                TRY(python_deliver_some(r));
                r->at = piece.end;
                continue;
            }
            TRY(python_end_line(r, piece.at, piece.end));
            if (r->line_start)
                return DONE;
            continue;
        }
        if (r->first && piece.kind != HASH) {
            TRY(start_statement(r, &piece, final, &went));
            if (went == NOWHERE) {
                r->at = piece.at;
                r->first = 1;
                *goes_on = 0;
                return DONE;
            }
            if (went) {
                r->at = went;
                continue;
            }
        }
        went = piece.end;
        switch (piece.kind) {
        case NAME:
            if (piece.word == NULL && !is_ascii(data, piece.at, piece.end))
                TRY(add_odd_name(r, piece.at, piece.end));
            TRY(add_text(r, piece.token, piece.at, piece.end));
            break;
        case COMMA:
        case TILDE:
        case SIGN:
            TRY(add_text(r, piece.token, piece.at, piece.end));
            break;
        case WORD:
            if (piece.word->which == WORD_LAMBDA) {
                r->lambdas += !r->bracket_count;
                TRY(add_text(r, piece.token, piece.at, piece.end));
            } else
                TRY(read_joined(r, &piece, final, &went));
            break;
        case DIGIT:
            TRY(read_number(r, &piece, final, &went));
            break;
        case STRING:
        case FORMATTED:
            TRY(python_read_string(r, &piece, final, &went));
            break;
        case HASH:
            TRY(r->bracket_count ? python_inner_comment(r, piece.at, piece.end) : python_line_comment(r, piece.at, piece.end));
            break;
        case OPEN:
            TRY(python_open_bracket(r, &piece, final, &went));
            break;
        case CLOSE: {
            const Bracket *top = top_bracket(r);
            if (top != NULL && top->kind != FIELD && !top->owner && closer_of(top->kind) == data[piece.at]) {
                r->bracket_count--;
                python_put_comma_last(r);
                TRY(add_text(r, piece.token, piece.at, piece.end));
            } else
                TRY(python_close_bracket(r, &piece, final, &went));
            break;
        }
        case COLON:
            if (r->fields && top_bracket(r)->kind == FIELD)
                TRY(python_read_in_field(r, &piece, final, &went));
            else
                TRY(read_colon(r, &piece, final, &went));
            break;
        case IN_FIELD:
            if (r->fields)
                TRY(python_read_in_field(r, &piece, final, &went));
            else
                TRY(add_text(r, piece.token, piece.at, piece.end));
            break;
        case SEMICOLON:
            if (r->bracket_count || r->header) {
                TRY(add_text(r, UNKNOWN_TOKEN, piece.at, piece.end));
                break;
            }
            r->soft = NOWHERE;
            r->word = WORD_OTHER;
            r->first = 1;
            r->fresh = 0;
            TRY(python_deliver_some(r));
            break;
        default:
            TRY(read_bad(r, &piece, final, &went));
        }
        if (went == NOWHERE) {
            *goes_on = 0;
            return DONE;
        }
        r->at = went;
        if (r->bracket_count && reads_text(r))
            return DONE;
    }
    if (!final)
        *goes_on = 0;
    else if (!r->line_start) {
        if (r->bracket_count)
            return CANNOT;
        TRY(python_end_line(r, r->length, r->length));
    }
    return DONE;
}

Result python_lex(PythonReader *r, int final) {
    while (r->at < r->length || final) {
        if (r->bracket_count && reads_text(r)) {
            size_t at = r->at, count = r->queue_count, brackets = r->bracket_count;
            TRY(python_read_text(r, final));
            if (at == r->at && count == r->queue_count && brackets == r->bracket_count)
                break;
        } else if (r->line_start) {
            TRY(python_start_line(r, final));
            if (r->line_start || r->at == r->length)
                break;
        } else {
            int goes_on;
            TRY(read_tokens(r, final, &goes_on));
            if (!goes_on)
                break;
        }
    }
    return final && r->at < r->length ? CANNOT : DONE;
}
