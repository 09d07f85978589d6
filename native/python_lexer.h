/* What the files of the lexer of Python share. python_pieces.c cuts text into pieces, python_queue.c keeps tokens until they are
   settled, python_lines.c knows lines and indents, python_brackets.c brackets and strings with fields, python_lexer.c the rest. */

#ifndef SIMPY_PYTHON_LEXER_H
#define SIMPY_PYTHON_LEXER_H

#include "python.h"

/* ---------------------------------------------------------------------------------------------------------- pieces */

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

size_t python_after_blanks(const char *data, size_t at); /* and after joined lines */
size_t python_after_lines(const char *data, size_t at, size_t length, int with_comments); /* blanks, lines, and comments if wanted */
size_t python_after_number(const char *data, size_t at);
size_t python_line_feed_from(const char *data, size_t at, size_t length); /* `length` if there is none */
/* One of the words that mean something, or NULL. */
const Word *python_find_word(const PythonTokens *tokens, const char *text, size_t size);
/* What letters before quotes make: 0 no string, STRING or FORMATTED. */
int python_prefix_kind(const char *text, size_t size);
/* The end of a string whose quotes stand there: 0 if it is not there. `may_come`: more text may bring it. */
size_t python_string_end(const char *data, size_t at, size_t length, int *may_come);

static inline size_t after_name(const char *data, size_t at) {
    while (is_name_byte(data[at]))
        at++;
    return at;
}

/* Whether what stands there is still to come. */
static inline int is_to_come(const PythonReader *r, size_t at, int final) {
    return !final && (at == r->length || (at + 1 == r->length && python_text(r)[at] == '\\'));
}

static inline int is_triple(const char *data, size_t at) { return data[at + 1] == data[at] && data[at + 2] == data[at]; }

/* ----------------------------------------------------------------------------------------------------------- queue */

Result python_reserve_token(PythonReader *r);
Result python_add_fixed(PythonReader *r, int token, int form, size_t end); /* its text is always the same, and counts as ending there */
void python_delete_token(PythonReader *r, size_t index);
Result python_insert_token(PythonReader *r, size_t index, Token token);
void python_put_comma_last(PythonReader *r);  /* comments between a comma and a closing bracket go before the comma */
void python_hold(PythonReader *r, size_t at); /* go on from here when more has arrived */
Result python_deliver_some(PythonReader *r);  /* give tokens to the automaton, if they are many; no token touches what follows */

static inline size_t trailing_comments(const PythonReader *r) {
    if (!r->queue_count || r->queue[r->queue_count - 1].token != INNER_TOKEN)
        return 0;
    size_t count = (size_t)r->queue[r->queue_count - 1].comments_before + 1;
    return count < r->queue_count ? count : r->queue_count; /* some may have left */
}

/* Add a token. Its offsets are those in the whole text. */
static inline Result add(PythonReader *r, int token, int form, uint32_t at, uint32_t size, uint32_t start, uint32_t end) {
    uint32_t comments = (uint32_t)trailing_comments(r);
    if (r->queue_count == r->queue_room)
        TRY(python_reserve_token(r));
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

/* The last token that is no comment in brackets. */
static inline int last_token(const PythonReader *r) {
    size_t count = r->queue_count - trailing_comments(r);
    return count ? r->queue[count - 1].token : r->last;
}

/* ------------------------------------------------------------------------------------------------- lines, brackets */

/* A function that reads a token says in `went` where to go on; 0 if it has not read it, or NOWHERE if more must arrive first. */
static inline void wait_at(PythonReader *r, size_t at, size_t *went) {
    python_hold(r, at);
    *went = NOWHERE;
}

Result python_open_block(PythonReader *r, uint32_t column, uint32_t narrow, size_t end, int is_inline);
Result python_start_line(PythonReader *r, int final);              /* `line_start` is cleared, unless more must arrive first */
Result python_end_line(PythonReader *r, size_t start, size_t end); /* the next one has begun unless `line_start` is set */
Result python_line_comment(PythonReader *r, size_t at, size_t end);
Result python_inner_comment(PythonReader *r, size_t at, size_t end);

Result python_open_bracket(PythonReader *r, const Piece *piece, int final, size_t *went);
Result python_close_bracket(PythonReader *r, const Piece *piece, int final, size_t *went);
Result python_read_string(PythonReader *r, const Piece *piece, int final, size_t *went);
Result python_read_text(PythonReader *r, int final); /* of a string with fields, or of a format: as far as it has arrived */
Result python_read_in_field(PythonReader *r, const Piece *piece, int final, size_t *went); /* : ! = and := */

static inline char closer_of(int kind) { return kind == '(' ? ')' : kind == '[' ? ']' : '}'; }

static inline Bracket *top_bracket(const PythonReader *r) { return r->bracket_count ? &r->brackets[r->bracket_count - 1] : NULL; }

static inline int reads_text(const PythonReader *r) {
    const Bracket *top = top_bracket(r);
    return top != NULL && (top->kind == IN_STRING || top->kind == IN_FORMAT);
}

#endif
