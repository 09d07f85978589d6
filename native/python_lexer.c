/* The lexer of Python: text to tokens, whole or in pieces. It knows lines, indents, brackets, strings and words, and no grammar.

   Text is cut into pieces, each a token or blanks. The last piece of what has arrived waits for more, as it may become longer.
   A NUL stands after the text, so that loops over a class of bytes end there. */

#include "python.h"

#include <stdlib.h>

/* What a piece is. The first ones are also what a byte may begin. */
enum {
    BAD,
    BLANKS,
    LINE_END,
    NAME,
    DIGIT,
    QUOTE,
    HASH,
    BACKSLASH,
    OPEN,
    CLOSE,
    COLON,
    SEMICOLON,
    COMMA,
    TILDE,
    DOT,
    SIGN,
    WORD, /* one that the lexer looks at twice */
    STRING,
    FORMATTED, /* the beginning of a string with fields */
    IN_FIELD,  /* a sign that means more inside a field: ! = := */
};

typedef struct {
    size_t at, end;
    const Word *word;
    int token;
    int kind;
} Piece;

const char *const form_text[FORMS] = {
    [FORM_NOT_IN] = "not in",       [FORM_IS_NOT] = "is not",
    [FORM_PARAMETERS] = "()",       [FORM_EXCEPT_STAR] = "except*",
    [FORM_FUTURE] = "from __future__ import", [FORM_NUMBER_DOT] = " .",
    [FORM_FIELD_SPACE] = "{ ",
};

void python_first_bytes(uint8_t first[256]) {
    static const struct {
        const char *bytes;
        uint8_t kind;
    } rows[] = {
        {" \t\f", BLANKS}, {"\n", LINE_END}, {"'\"", QUOTE},   {"#", HASH},  {"\\", BACKSLASH}, {"([{", OPEN},
        {")]}", CLOSE},    {":", COLON},     {";", SEMICOLON}, {",", COMMA}, {"~", TILDE},      {".", DOT},
        {"-+*/%@&|^<>=!", SIGN},
    };
    memset(first, BAD, 256);
    for (int byte = 0; byte < 256; byte++)
        first[byte] = byte_class[byte] & NAME_START_BYTE ? NAME : byte_class[byte] & DIGIT_BYTE ? DIGIT : BAD;
    for (size_t row = 0; row < sizeof(rows) / sizeof(*rows); row++)
        for (const char *byte = rows[row].bytes; *byte; byte++)
            first[(unsigned char)*byte] = rows[row].kind;
}

/* ----------------------------------------------------------------------------------------------------------- queue */

static inline size_t trailing_comments(const PythonReader *r) {
    if (!r->queue_count || r->queue[r->queue_count - 1].token != INNER_TOKEN)
        return 0;
    size_t count = (size_t)r->queue[r->queue_count - 1].comments_before + 1;
    return count < r->queue_count ? count : r->queue_count; /* some may have left */
}

static Result reserve_token(PythonReader *r) {
    void *queue = r->queue;
    TRY(array_reserve(&queue, &r->queue_room, r->queue_count + 1, sizeof(Token)));
    r->queue = queue;
    return DONE;
}

/* Add a token. Its offsets are those in the whole text. */
static inline Result add(PythonReader *r, int token, int form, uint32_t at, uint32_t size, uint32_t start, uint32_t end) {
    uint32_t comments = (uint32_t)trailing_comments(r);
    if (r->queue_count == r->queue_room)
        TRY(reserve_token(r));
    r->queue[r->queue_count++] = (Token){at, size, start, end, comments, (int16_t)token, (uint8_t)form, 0};
    return DONE;
}

static inline Result add_text(PythonReader *r, int token, size_t at, size_t end) {
    uint32_t base = python_base(r);
    return add(r, token, FORM_TEXT, base + (uint32_t)at, (uint32_t)(end - at), base + (uint32_t)at, base + (uint32_t)end);
}

static inline Result add_empty(PythonReader *r, int token, size_t end) {
    uint32_t at = python_base(r) + (uint32_t)end;
    return add(r, token, FORM_EMPTY, at, 0, at, at);
}

/* Add a token whose text is always the same one. It counts as starting that many characters before its end. */
static Result add_fixed(PythonReader *r, int token, int form, size_t end) {
    const char *data = python_text(r);
    uint32_t base = python_base(r);
    size_t start = end, size = strlen(form_text[form]);
    for (size_t i = 0; i < size && start > 0; i++)
        do
            start--;
        while (start > 0 && ((unsigned char)data[start] & 0xC0) == 0x80);
    if (end - start == size && memcmp(data + start, form_text[form], size) == 0)
        return add_text(r, token, start, end);
    return add(r, token, form, base + (uint32_t)end, 0, base + (uint32_t)start, base + (uint32_t)end);
}

static void count_comments_again(PythonReader *r, size_t from) {
    for (size_t i = from ? from : 1; i < r->queue_count; i++)
        r->queue[i].comments_before = r->queue[i - 1].token == INNER_TOKEN ? r->queue[i - 1].comments_before + 1 : 0;
}

static void delete_token(PythonReader *r, size_t index) {
    r->queue_count--;
    memmove(r->queue + index, r->queue + index + 1, (r->queue_count - index) * sizeof(Token));
    count_comments_again(r, index);
}

/* The last token that is no comment in brackets. */
static inline int last_token(const PythonReader *r) {
    size_t count = r->queue_count - trailing_comments(r);
    return count ? r->queue[count - 1].token : r->last;
}

/* Comments between a comma and a closing bracket go before the comma. */
static void put_comma_last(PythonReader *r) {
    size_t comments = trailing_comments(r), at = r->queue_count - comments;
    if (!comments || !at || r->queue[at - 1].token != r->tokens->comma)
        return;
    Token comma = r->queue[at - 1];
    memmove(r->queue + at - 1, r->queue + at, comments * sizeof(Token));
    r->queue[r->queue_count - 1] = comma;
    count_comments_again(r, at - 1);
}

size_t python_settled_tokens(const PythonReader *r) {
    size_t settled = r->queue_count;
    if (r->soft != NOWHERE) {
        size_t mark = r->soft;
        if (mark && r->queue[mark - 1].token == r->tokens->line_sep)
            mark--;
        settled = mark < settled ? mark : settled;
    }
    if (r->undecided) {
        size_t mark = r->brackets[r->first_undecided].index - r->taken;
        settled = mark < settled ? mark : settled;
    }
    size_t last = r->queue_count - trailing_comments(r);
    if (last && r->bracket_count && r->queue[last - 1].token == r->tokens->comma && last - 1 < settled)
        settled = last - 1;
    return settled;
}

/* Go on from here when more has arrived: with the number that touches it, which may become longer. */
static void hold(PythonReader *r, size_t at) {
    const PythonTokens *k = r->tokens;
    int touching[2] = {UNKNOWN_TOKEN, UNKNOWN_TOKEN};
    size_t count = 0, held, start = at;
    while (count < 2 && count < r->queue_count) {
        const Token *token = &r->queue[r->queue_count - 1 - count];
        if (token->end != python_base(r) + start || (token->token != k->number && token->token != k->dot && token->token != k->name))
            break;
        touching[count++] = token->token;
        start -= token->size;
    }
    if (at < r->length && python_text(r)[at] == '.')
        held = touching[0] != k->dot ? 0 : count == 2 && touching[1] == k->dot ? 2 : 1;
    else
        held = touching[0] == k->number ? 1 : count == 2 && touching[0] == k->name && touching[1] == k->number ? 2 : 0;
    for (; held; held--)
        at -= r->queue[--r->queue_count].size;
    r->at = at;
}

/* -------------------------------------------------------------------------------------------------------- scanning */

static inline size_t after_name(const char *data, size_t at) {
    while (is_name_byte(data[at]))
        at++;
    return at;
}

/* After blanks and joined lines. */
static size_t after_blanks(const char *data, size_t at) {
    for (;;) {
        if (is_blank(data[at]))
            at++;
        else if (data[at] == '\\' && data[at + 1] == '\n')
            at += 2;
        else
            return at;
    }
}

static size_t line_feed_from(const char *data, size_t at, size_t length) {
    const char *found = memchr(data + at, '\n', length - at);
    return found ? (size_t)(found - data) : length;
}

/* After blanks, lines, and comments if they are wanted. */
static size_t after_lines(const char *data, size_t at, size_t length, int with_comments) {
    for (;;) {
        if (is_blank(data[at]) || data[at] == '\n')
            at++;
        else if (data[at] == '\\' && data[at + 1] == '\n')
            at += 2;
        else if (with_comments && data[at] == '#')
            at = line_feed_from(data, at, length);
        else
            return at;
    }
}

/* Whether what stands there is still to come. */
static inline int is_to_come(const PythonReader *r, size_t at, int final) {
    return !final && (at == r->length || (at + 1 == r->length && python_text(r)[at] == '\\'));
}

static const Word *find_word(const PythonTokens *k, const char *text, size_t size) {
    unsigned char letter = (unsigned char)text[0];
    if (letter >= 128 || size > 15 || !(k->word_sizes[letter] >> size & 1))
        return NULL;
    for (int i = k->word_first[letter]; i >= 0; i = k->words[i].next)
        if (k->words[i].size == size && memcmp(k->words[i].text, text, size) == 0)
            return &k->words[i];
    return NULL;
}

static size_t after_digits(const char *data, size_t at, int (*is_one)(char)) {
    for (;;) {
        if (is_one(data[at]))
            at++;
        else if (data[at] == '_' && is_one(data[at + 1]))
            at += 2;
        else
            return at;
    }
}

static int is_decimal(char byte) { return is_digit(byte); }
static int is_hexadecimal(char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'); }
static int is_octal(char byte) { return byte >= '0' && byte <= '7'; }
static int is_binary(char byte) { return byte == '0' || byte == '1'; }

static size_t after_number(const char *data, size_t at) {
    if (data[at] == '0') {
        char letter = (char)(data[at + 1] | 0x20);
        int (*is_one)(char) = letter == 'x' ? is_hexadecimal : letter == 'o' ? is_octal : letter == 'b' ? is_binary : NULL;
        if (is_one && (is_one(data[at + 2]) || (data[at + 2] == '_' && is_one(data[at + 3]))))
            return after_digits(data, at + 2, is_one);
    }
    if (data[at] == '.')
        at = after_digits(data, at + 1, is_decimal);
    else {
        at = after_digits(data, at, is_decimal);
        if (data[at] == '.') {
            at++;
            if (is_digit(data[at]))
                at = after_digits(data, at, is_decimal);
        }
    }
    if (data[at] == 'e' || data[at] == 'E') {
        size_t digit = at + 1 + (data[at + 1] == '+' || data[at + 1] == '-');
        if (is_digit(data[digit]))
            at = after_digits(data, digit, is_decimal);
    }
    return at + (data[at] == 'j' || data[at] == 'J');
}

/* What letters before quotes make: 0 no string, STRING or FORMATTED. */
static int prefix_kind(const char *text, size_t size) {
    char one = (char)(text[0] | 0x20), other = size == 2 ? (char)(text[1] | 0x20) : 0;
    if (size > 2)
        return 0;
    if (other && one != 'r') { /* the r first */
        char first = one;
        one = other;
        other = first;
        if (one != 'r')
            return 0;
    }
    if (!other)
        return one == 'f' || one == 't' ? FORMATTED : one == 'b' || one == 'r' || one == 'u' ? STRING : 0;
    return other == 'f' || other == 't' ? FORMATTED : other == 'b' ? STRING : 0;
}

static inline int is_triple(const char *data, size_t at) { return data[at + 1] == data[at] && data[at + 2] == data[at]; }

/* The end of a string whose quotes stand there: 0 if it is not there. `may_come`: more text may bring it. */
static size_t string_end(const char *data, size_t at, size_t length, int *may_come) {
    char quote = data[at];
    int triple = is_triple(data, at);
    size_t i = at + (triple ? 3 : 1);
    *may_come = 1;
    for (;;) {
        while (i < length && data[i] != quote && data[i] != '\\' && (triple || data[i] != '\n'))
            i++;
        if (i >= length)
            return 0;
        if (data[i] == '\\') {
            if (i + 1 >= length)
                return 0;
            i += 2;
        } else if (data[i] == '\n') {
            *may_come = 0;
            return 0;
        } else if (!triple)
            return i + 1;
        else if (is_triple(data, i))
            return i + 3;
        else
            i++;
    }
}

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
        int kind = data[end] == '"' || data[end] == '\'' ? prefix_kind(data + at, end - at) : 0;
        if (kind == FORMATTED) {
            piece->kind = FORMATTED;
            end += is_triple(data, end) ? 3 : 1;
        } else if (kind) {
            int may_come;
            size_t found = string_end(data, end, r->length, &may_come);
            piece->kind = found ? STRING : BAD;
            piece->token = k->string;
            end = found ? found : end + 1;
        } else {
            piece->token = k->name;
            piece->word = find_word(k, data + at, end - at);
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
        end = after_blanks(data, at);
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
            end = after_number(data, at);
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
        end = after_number(data, at);
        piece->token = k->number;
        break;
    case QUOTE: {
        int may_come;
        size_t found = string_end(data, at, r->length, &may_come);
        piece->kind = found ? STRING : BAD;
        piece->token = k->string;
        end = found ? found : end;
        break;
    }
    case HASH:
        end = line_feed_from(data, at, r->length);
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

/* --------------------------------------------------------------------------------------------------- lines, indents */

/* The column that white space leads to, as CPython counts it. */
static void count_columns(const char *data, size_t at, size_t end, uint32_t *column, uint32_t *narrow) {
    uint32_t wide = 0, thin = 0, joined = 0;
    for (; at < end; at++)
        switch (data[at]) {
        case '\t':
            wide = (wide / 8 + 1) * 8;
            thin++;
            break;
        case '\f':
            wide = thin = 0;
            break;
        case '\\':
            joined = joined ? joined : wide;
            break;
        case '\n':
            break;
        default:
            wide++;
            thin++;
        }
    *column = joined ? joined : wide;
    *narrow = joined ? joined : thin;
}

static Result open_block(PythonReader *r, uint32_t column, uint32_t narrow, size_t end, int is_inline) {
    void *indents = r->indents;
    TRY(array_reserve(&indents, &r->indent_room, r->indent_count + 1, sizeof(Indent)));
    r->indents = indents;
    r->indents[r->indent_count++] = (Indent){column, narrow, (uint8_t)is_inline, r->opening == WORD_MATCH};
    r->opening = 0;
    r->simple = 0;
    return add_empty(r, r->tokens->indent, end);
}

static Result close_block(PythonReader *r, size_t at) {
    r->indent_count--;
    r->simple = 0;
    return add_empty(r, r->tokens->dedent, at);
}

/* Write the own-line comments from that column on which are still to be placed. */
static Result write_comments(PythonReader *r, uint32_t below) {
    uint32_t base = python_base(r);
    const char *data = python_text(r);
    while (r->own_first < r->own_count && r->own[r->own_first].column >= below) {
        Comment comment = r->own[r->own_first++];
        uint32_t end = comment.at + comment.size;
        if (r->simple)
            TRY(add(r, r->tokens->line_sep, FORM_EMPTY, comment.at - 1, 0, comment.at - 1, comment.at - 1));
        r->simple = 0;
        int has_end = end - base < r->length && data[end - base] == '\n';
        TRY(add(r, r->tokens->comment, has_end ? FORM_TEXT : FORM_COMMENT, comment.at, comment.size + (uint32_t)has_end, comment.at, end));
    }
    if (r->own_first == r->own_count)
        r->own_first = r->own_count = 0;
    return DONE;
}

/* Close the blocks that end before a line, and place the comments above it. A comment stands in the innermost block that begins
   no further right than it does; above a clause, in a block of the statement that the clause belongs to; never between the cases
   of a match statement, but in one of them. */
static Result dedent(PythonReader *r, uint32_t column, uint32_t narrow, size_t at, int is_clause) {
    const Indent *top = &r->indents[r->indent_count - 1];
    size_t closing = 0;
    if (r->own_first == r->own_count && top->column == column && top->narrow == narrow && !top->is_inline)
        return DONE;
    while (top[-(ptrdiff_t)closing].is_inline || top[-(ptrdiff_t)closing].column > column)
        closing++;
    const Indent *block = top - closing;
    if (block->column != column || block->narrow != narrow)
        return CANNOT;
    size_t keep = closing; /* this many may close before the comments are all placed */
    if (is_clause || block->has_cases) {
        if (!closing)
            keep = 0; /* none, as with less than none */
        else
            keep--;
    }
    if (top->is_inline && keep > 0 && !top[-1].has_cases) { /* a block on the line of its header ends with that line */
        TRY(close_block(r, at));
        keep--;
        closing--;
    }
    while (r->own_first < r->own_count) {
        size_t count = r->indent_count;
        size_t inner = count > 1 && r->indents[count - 2].has_cases ? 2 : 1; /* a case closes together with its match statement */
        if (keep >= inner && r->own[r->own_first].column < r->indents[count - inner].column) {
            for (size_t i = 0; i < inner; i++)
                TRY(close_block(r, at));
            keep -= inner;
            closing -= inner;
        } else
            TRY(write_comments(r, keep >= inner ? r->indents[count - inner].column : 0));
    }
    while (closing--)
        TRY(close_block(r, at));
    return DONE;
}

/* Open or close blocks, as the indent of a line says. */
static Result take_indent(PythonReader *r, size_t start, size_t end, int is_clause) {
    uint32_t column, narrow;
    const char *data = python_text(r);
    count_columns(data, start, end, &column, &narrow);
    if (!r->opening)
        TRY(dedent(r, column, narrow, end, is_clause));
    else {
        const Indent *top = &r->indents[r->indent_count - 1];
        if (column <= top->column || narrow <= top->narrow)
            return CANNOT;
        TRY(open_block(r, column, narrow, end, 0));
        TRY(write_comments(r, 0));
    }
    r->has_indent = 1;
    if (r->indent_text.size == end - start && (end == start || memcmp(r->indent_text.data, data + start, end - start) == 0))
        return DONE;
    r->indent_text.size = 0;
    return buffer_add(&r->indent_text, data + start, end - start);
}

/* At the end of a line: whether `match` at its start began a statement, which the colon at its end says. */
static void settle_match(PythonReader *r) {
    size_t soft = r->soft;
    const PythonTokens *k = r->tokens;
    r->soft = NOWHERE;
    if (soft == NOWHERE || r->queue[r->queue_count - 1].token != k->colon || r->queue_count == soft + 1)
        return;
    r->queue_count--;
    r->queue[soft].token = k->begin_match;
    if (soft && r->queue[soft - 1].token == k->line_sep)
        delete_token(r, soft - 1);
    r->opening = WORD_MATCH;
    r->simple = 0;
}

enum { BATCH = 256 }; /* tokens that are given to the automaton at once */

/* End a logical line; the next one has begun unless `line_start` is set, as where comments come first. */
static Result end_line(PythonReader *r, size_t start, size_t end) {
    const char *data = python_text(r);
    if (r->header)
        return CANNOT;
    if (r->soft != NOWHERE)
        settle_match(r);
    r->word = WORD_OTHER;
    if (r->queue_count >= BATCH)
        TRY(python_deliver(r, r->queue_count)); /* outside brackets all are settled */
    if (end == r->length || data[end] == '#' || data[end] == '\\') {
        r->line_start = 1;
        r->first = 0;
        size_t line = line_feed_from(data, start, r->length);
        r->at = line < r->length ? line + 1 : end;
        return DONE;
    }
    size_t indent = end;
    while (indent > start && data[indent - 1] != '\n')
        indent--;
    if (r->opening || !r->has_indent || r->indent_text.size != end - indent ||
        (end > indent && memcmp(r->indent_text.data, data + indent, end - indent) != 0))
        TRY(take_indent(r, indent, end, 0));
    r->first = r->fresh = 1;
    r->at = end;
    return DONE;
}

static int may_be_clause(const PythonReader *r, size_t at) {
    const PythonTokens *k = r->tokens;
    size_t size = r->length - at;
    for (int i = 0; i < k->word_count && size < 8; i++)
        if (k->words[i].is_clause && size <= k->words[i].size && memcmp(k->words[i].text, python_text(r) + at, size) == 0)
            return 1;
    return 0;
}

/* Read blank lines, comments and the indent of the next statement. `line_start` is cleared, unless more must arrive first. */
static Result start_line(PythonReader *r, int final) {
    const char *data = python_text(r);
    size_t length = r->length, start, end;
    for (;;) {
        start = r->at;
        end = after_blanks(data, start);
        size_t comment = end;
        if (end < length && data[end] == '#')
            end = line_feed_from(data, end, length);
        if (end == length && !final)
            return DONE;
        if (end < length && data[end] == '\\')
            return end + 1 == length && !final ? DONE : CANNOT;
        if (end > comment) {
            uint32_t column, narrow;
            count_columns(data, start, comment, &column, &narrow);
            void *own = r->own;
            TRY(array_reserve(&own, &r->own_room, r->own_count + 1, sizeof(Comment)));
            r->own = own;
            r->own[r->own_count++] = (Comment){python_base(r) + (uint32_t)comment, (uint32_t)(end - comment), column, 1};
            r->at = end + 1 < length ? end + 1 : length;
        } else if (end < length && data[end] == '\n')
            r->at = end + 1;
        else
            break;
        if (r->at == length) {
            if (!final)
                return DONE;
            end = length;
            break;
        }
    }
    if (end == length) { /* the end of the text */
        if (r->opening)
            return CANNOT;
        TRY(dedent(r, 0, 0, end, 0));
        r->line_start = 0;
        r->at = end;
        return DONE;
    }
    int is_clause = 0;
    if (data[end] >= 'a' && data[end] <= 'z') {
        size_t name = after_name(data, end);
        const Word *word = find_word(r->tokens, data + end, name - end);
        is_clause = word != NULL && word->is_clause;
        if (!final && ((is_clause && name == length) || may_be_clause(r, end)))
            return DONE;
    }
    TRY(take_indent(r, start, end, is_clause));
    r->line_start = 0;
    r->first = r->fresh = 1;
    r->at = end;
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------ statements */

/* A function that reads a token says in `went` where to go on; 0 if it has not read it, or NOWHERE if more must arrive first. */

static void wait_at(PythonReader *r, size_t at, size_t *went) {
    hold(r, at);
    *went = NOWHERE;
}

static Result begin_from(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    size_t length = r->length, end = piece->end, blanks = after_blanks(data, end);
    size_t future = 0, after = 0, first_dot = blanks, dots = 0;
    int begun_future = 0;
    if (blanks > end && length - blanks >= 10 && memcmp(data + blanks, "__future__", 10) == 0) {
        after = after_blanks(data, blanks + 10);
        if (after > blanks + 10 && length - after >= 6 && memcmp(data + after, "import", 6) == 0 && !is_name_byte(data[after + 6]))
            future = after + 6;
    }
    size_t reached = blanks;
    while (!future && data[reached] == '.') {
        dots++;
        reached = after_blanks(data, reached + 1);
    }
    if (future)
        reached = future;
    else if (!dots) { /* whether it may become an import from __future__ */
        reached = after_lines(data, end, length, 1);
        size_t size = length - reached;
        if (size <= 10)
            begun_future = memcmp(data + reached, "__future__", size) == 0;
        else if (memcmp(data + reached, "__future__", 10) == 0) {
            size_t word = after_blanks(data, reached + 10);
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
        return add_fixed(r, k->begin_future, FORM_FUTURE, future);
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
    size_t at = after_blanks(data, end), after = at;
    if (at > end && is_name_start(data[at]))
        after = after_name(data, at);
    if (is_to_come(r, after, final))
        return -1;
    if (after == at)
        return 0;
    const Word *word = find_word(r->tokens, data + at, after - at);
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
            size_t at = after_blanks(data, piece->end);
            if (is_to_come(r, at, final) || (!final && at + 1 == r->length && data[at] == '*')) {
                r->first = r->fresh = 1;
                r->header = 0;
                *went = NOWHERE;
                return DONE;
            }
            if (data[at] == '*' && data[at + 1] != '*') {
                *went = at + 1;
                return add_fixed(r, k->begin_except_star, FORM_EXCEPT_STAR, at + 1);
            }
        }
    } else {
        r->first = 1;
        r->fresh = fresh;
    }
    return add_text(r, word->begins, piece->at, piece->end);
}

/* -------------------------------------------------------------------------------------------------------- comments */

static Result line_comment(PythonReader *r, size_t at, size_t end) {
    uint32_t base = python_base(r);
    settle_match(r);
    if (r->header)
        return CANNOT;
    r->simple = 0;
    r->first = 0;
    uint32_t has_end = end < r->length;
    return add(r, r->tokens->comment, has_end ? FORM_TEXT : FORM_COMMENT, base + (uint32_t)at, (uint32_t)(end - at) + has_end,
               base + (uint32_t)at, base + (uint32_t)end);
}

/* A comment inside brackets; whether it stands on a line of its own is part of its text. */
static Result inner_comment(PythonReader *r, size_t at, size_t end) {
    const char *data = python_text(r);
    uint32_t base = python_base(r);
    size_t before = at;
    while (before && is_blank(data[before - 1]))
        before--;
    int own = before ? data[before - 1] == '\n' : r->blank;
    return add(r, INNER_TOKEN, own ? FORM_OWN : FORM_INNER, base + (uint32_t)at, (uint32_t)(end - at), base + (uint32_t)at, base + (uint32_t)end);
}

/* -------------------------------------------------------------------------------------------------------- brackets */

static const char CLOSER[128] = {['('] = ')', ['['] = ']', ['{'] = '}', [FIELD] = '}'};

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

static inline Bracket *top_bracket(const PythonReader *r) { return r->bracket_count ? &r->brackets[r->bracket_count - 1] : NULL; }

static inline int reads_text(const PythonReader *r) {
    const Bracket *top = top_bracket(r);
    return top != NULL && (top->kind == IN_STRING || top->kind == IN_FORMAT);
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
        delete_token(r, last_comma);
    else {
        TRY(reserve_token(r));
        memmove(r->queue + index + 1, r->queue + index, (r->queue_count - index) * sizeof(Token));
        r->queue_count++;
        Token *around = &r->queue[index];
        *around = (Token){around->end, 0, around->end, around->end, around->comments_before, k->with_around, FORM_EMPTY, 0};
        count_comments_again(r, index + 1);
    }
    return DONE;
}

/* Close a bracket that is not like any other. */
static Result close_bracket(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    Bracket *bracket = top_bracket(r);
    int token = piece->token;
    if (bracket == NULL || CLOSER[bracket->kind] != data[piece->at])
        return CANNOT;
    if (bracket->kind == FIELD) {
        TRY(keep_text(r, bracket, piece->at));
        r->fields--;
    } else if (bracket->owner == WORD_WITH) {
        size_t at = after_blanks(data, piece->end);
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
    put_comma_last(r);
    r->bracket_count--;
    *went = piece->end;
    return add_text(r, token, piece->at, piece->end);
}

static Result open_bracket(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const PythonTokens *k = r->tokens;
    const char *data = python_text(r);
    uint8_t owner = 0;
    if (!r->bracket_count && r->word && data[piece->at] == '(') {
        /* the first bracket of `def`, `with` or `from ... import` may be the statement's own */
        if (r->word == WORD_DEF) {
            size_t at = after_lines(data, piece->end, r->length, 0);
            if (is_to_come(r, at, final)) {
                wait_at(r, piece->at, went);
                return DONE;
            }
            r->word = WORD_OTHER; /* a bracket after the parameters is another */
            if (data[at] == ')') {
                *went = at + 1;
                return add_fixed(r, k->empty_parameters, FORM_PARAMETERS, at + 1);
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

/* --------------------------------------------------------------------------------------------- strings with fields */

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

static Result read_string(PythonReader *r, const Piece *piece, int final, size_t *went) {
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
    size_t first = after_lines(data, at + 1, r->length, 1);
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

/* Read the text of a string with fields, or of a format, up to its end or the next field, or as far as it has arrived. */
static Result read_text(PythonReader *r, int final) {
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

/* ---------------------------------------------------------------------------------------------------- other tokens */

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
    size_t dot = r->bracket_count ? after_lines(data, end, r->length, 0) : after_blanks(data, end);
    if (dot > end) {
        int has_dot = data[dot] == '.' && data[dot + 1] != '.' && !is_digit(data[dot + 1]);
        if (is_to_come(r, dot + (size_t)has_dot, final)) {
            wait_at(r, at, went);
            return DONE;
        }
        if (has_dot) {
            TRY(add_text(r, piece->token, at, end));
            *went = dot + 1;
            return add_fixed(r, r->tokens->number_dot, FORM_NUMBER_DOT, dot + 1);
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
    size_t at = r->bracket_count ? after_lines(data, end, length, 1) : after_blanks(data, end);
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
        size_t line = line_feed_from(data, i, at);
        TRY(inner_comment(r, i, line));
        i = line;
    }
    *went = at + size;
    return add_fixed(r, is_not ? r->tokens->is_not : r->tokens->not_in, is_not ? FORM_IS_NOT : FORM_NOT_IN, at + size);
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
        at = after_blanks(data, end);
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
    TRY(open_block(r, top->column + 1, top->narrow + 1, at, 1));
    r->has_indent = 0;
    r->first = 1;
    r->fresh = 0;
    return DONE;
}

/* ! = and := inside a field. */
static Result read_in_field(PythonReader *r, const Piece *piece, int final, size_t *went) {
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
    size_t next = after_lines(data, end, r->length, 1);
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

static Result read_bad(PythonReader *r, const Piece *piece, int final, size_t *went) {
    const char *data = python_text(r);
    size_t quote = piece->end - 1;
    int may_come = 0;
    if (!final && (data[quote] == '\'' || data[quote] == '"'))
        string_end(data, quote, r->length, &may_come);
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

/* Read tokens up to the start of a line or of the text of a string. `goes_on` is cleared if that must arrive first. */
static Result read_tokens(PythonReader *r, int final, int *goes_on) {
    const char *data = python_text(r);
    *goes_on = 1;
    while (r->at < r->length) {
        Piece piece;
        size_t went = 0;
        scan(r, r->at, &piece);
        if (piece.end == r->length && !final && piece.kind != OPEN && piece.kind != CLOSE && piece.kind != COMMA && piece.kind != SEMICOLON &&
            piece.kind != TILDE) {
            hold(r, r->at);
            *goes_on = 0;
            return DONE;
        }
        if (piece.kind == BLANKS) {
            r->at = piece.end;
            continue;
        }
        if (piece.kind == LINE_END) {
            if (r->bracket_count) {
                r->at = piece.end;
                continue;
            }
            TRY(end_line(r, piece.at, piece.end));
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
            TRY(read_string(r, &piece, final, &went));
            break;
        case HASH:
            TRY(r->bracket_count ? inner_comment(r, piece.at, piece.end) : line_comment(r, piece.at, piece.end));
            break;
        case OPEN:
            TRY(open_bracket(r, &piece, final, &went));
            break;
        case CLOSE: {
            const Bracket *top = top_bracket(r);
            if (top != NULL && top->kind != FIELD && !top->owner && CLOSER[top->kind] == data[piece.at]) {
                r->bracket_count--;
                put_comma_last(r);
                TRY(add_text(r, piece.token, piece.at, piece.end));
            } else
                TRY(close_bracket(r, &piece, final, &went));
            break;
        }
        case COLON:
            if (r->fields && top_bracket(r)->kind == FIELD)
                TRY(read_in_field(r, &piece, final, &went));
            else
                TRY(read_colon(r, &piece, final, &went));
            break;
        case IN_FIELD:
            if (r->fields)
                TRY(read_in_field(r, &piece, final, &went));
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
        TRY(end_line(r, r->length, r->length));
    }
    return DONE;
}

Result python_lex(PythonReader *r, int final) {
    while (r->at < r->length || final) {
        if (r->bracket_count && reads_text(r)) {
            size_t at = r->at, count = r->queue_count, brackets = r->bracket_count;
            TRY(read_text(r, final));
            if (at == r->at && count == r->queue_count && brackets == r->bracket_count)
                break;
        } else if (r->line_start) {
            TRY(start_line(r, final));
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
