/* Compact Python. What transpiler.compact, transpiler.parentheses and transpiler.precedence do, for the one style of the dialect. */

#include "core.h"

#include "compact_tables.h"
#include "writer.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------------- redundant parentheses */

/* A bracket that is open: its index, its kind, and the loosest and the tightest level of what stands directly in it. */
typedef struct {
    size_t start;
    int kind, loosest, tightest;
} Bracket;

/* Parentheses around an expression. */
typedef struct {
    size_t start, end;
    int loosest, tightest;
    int has_comment;
    int around; /* the kind of the bracket that they stand in */
} Pair;

typedef struct {
    const Stream *stream;
    size_t count;
    const unsigned char *codes; /* the terminals, some replaced by others that take the same part; ends of lines around them */
    unsigned char *written;     /* the terminals; those of redundant parentheses are replaced */
    Bracket *stack;
    size_t depth, room;
} Finder;

/* Replace some terminals by others that take the same part here. */
static void replace_some(unsigned char *codes, size_t count) {
    int in_pattern = 0, last = NO_TERMINAL;
    size_t alias = count; /* the type alias that has begun */
    for (size_t i = 0; i < count; i++) {
        int code = codes[i];
        if (code == T_CASE)
            in_pattern = 1;
        else if (code == T_GUARD || code == T_BLOCK_START)
            in_pattern = 0;
        else if (code == T_OPEN_PARENTHESIS && in_pattern)
            codes[i] = T_PARAMETERS_START; /* nothing in a pattern is redundant */
        if (code == T_TYPE_ALIAS)
            alias = i;
        else if (code == T_ASSIGN && alias < count) {
            codes[i] = T_TYPE_DEFAULT; /* its value is not a tuple without parentheses */
            alias = count;
        }
        if (code == T_SPLAT && (last == T_LAMBDA || last == T_LAMBDA_SEP || last == T_COMPREHENSION_FOR || last == T_TARGET_SEP))
            codes[i] = T_PARAMETER_STAR; /* `*a` as a parameter or a target is not an element */
        last = code == T_SPACE && i && codes[i - 1] != T_SPACE ? last : code;
    }
}

static inline int is_skipped(int code) { return code == T_SPACE || code == T_INNER_COMMENT; }

/* The terminal before or after a lexeme, comments and marks of blanks apart. */
static int code_before(const unsigned char *code) {
    do
        code--;
    while (is_skipped(*code));
    return *code;
}

static int code_after(const unsigned char *code) {
    do
        code++;
    while (is_skipped(*code));
    return *code;
}

static inline int larger(int one, int other) { return one > other ? one : other; }
static inline int smaller(int one, int other) { return one < other ? one : other; }

/* Whether the terminals on both sides leave an expression or a tuple as it is without its parentheses. */
static int has_place(const Finder *finder, const Pair *pair) {
    const unsigned char *start = finder->codes + pair->start, *end = finder->codes + pair->end;
    int before = code_before(start), after = code_after(end), demanded;
    if (pair->tightest == LEVEL_TUPLE) {
        if (end[-1] == T_COMMA && end[1] == T_INNER_COMMENT)
            return 0; /* no comment may follow this comma */
        demanded = pair->around == BRACKET_INDEX && before == T_OPEN_BRACKET ? LEVEL_EXPRESSION : tuple_demanded_after[before];
        return pair->loosest >= demanded && tuple_stands_before[after];
    }
    demanded = demanded_after[before];
    if (demanded == LEVEL_AS_BRACKET)
        demanded = demanded_in[pair->around];
    else if (demanded == LEVEL_AS_OPERAND)
        demanded = is_operator[after] ? LEVEL_EXPRESSION : LEVEL_NEVER;
    return pair->loosest >= larger(demanded, demanded_before[after]);
}

/* Whether a statement would begin with a word that may mean something else there, unless an operator settles it. */
static int is_soft(const Finder *finder, const Pair *pair) {
    const unsigned char *start = finder->codes + pair->start, *end = finder->codes + pair->end;
    if (!is_boundary[start[-1]] || is_operator[end[1]] || is_assignment[end[1]])
        return 0;
    size_t first = pair->start + 1;
    while (finder->codes[first] == T_OPEN_PARENTHESIS)
        first++;
    if (finder->codes[first] != T_NAME)
        return 0;
    const Lexeme *lexeme = &finder->stream->items[first];
    for (size_t i = 0; i < sizeof(soft_words) / sizeof(*soft_words); i++)
        if (lexeme->size == soft_words[i].size && memcmp(lexeme_text(finder->stream, lexeme), soft_words[i].text, lexeme->size) == 0)
            return 1;
    return 0;
}

static int is_redundant(const Finder *finder, const Pair *pair) {
    const unsigned char *start = finder->codes + pair->start, *end = finder->codes + pair->end;
    int is_alone = start[-1] == T_OPEN_PARENTHESIS && end[1] == T_CLOSE_PARENTHESIS; /* in another pair of parentheses */
    if (pair->tightest == LEVEL_GENERATOR && pair->around == BRACKET_CALL)
        return is_alone && pair->loosest >= LEVEL_EXPRESSION;
    if (pair->has_comment)
        return 0;
    if (is_alone && pair->around == BRACKET_GROUP) /* `with ((a, b)):` enters a tuple, `with (a, b):` two contexts */
        return !(pair->tightest == LEVEL_TUPLE && start[-2] == T_WITH && is_boundary[end[2]]);
    if (pair->tightest == LEVEL_GENERATOR || pair->end - pair->start == 1)
        return 0;
    return has_place(finder, pair) && !is_soft(finder, pair);
}

static Result push_bracket(Finder *finder, Bracket bracket) {
    if (finder->depth == finder->room) {
        void *stack = finder->stack;
        TRY(array_reserve(&stack, &finder->room, finder->depth + 1, sizeof(Bracket)));
        finder->stack = stack;
    }
    finder->stack[finder->depth++] = bracket;
    return DONE;
}

static void note_levels(Bracket *bracket, const unsigned char *codes, size_t seen, size_t end) {
    for (size_t i = seen; i < end; i++) {
        int level = level_of[codes[i]];
        bracket->loosest = smaller(bracket->loosest, level);
        bracket->tightest = larger(bracket->tightest, level);
    }
}

/* Take away the parentheses that change nothing. */
static Result find_redundant(Finder *finder) {
    const unsigned char *codes = finder->codes;
    Bracket open = {0, BRACKET_OTHER, LEVEL_OPERAND, LEVEL_OPERAND}; /* the innermost; those around it are on the stack */
    size_t fields = 0, seen = 0, comment_end = 0, bases = finder->count;
    for (size_t i = 0; i < finder->count; i++) {
        int code = codes[i], event = bracket_event[code];
        if (!event)
            continue;
        if (event == BRACKET_COMMENTS) {
            comment_end = i + 1;
            continue;
        }
        if (open.kind == BRACKET_GROUP)
            note_levels(&open, codes, seen, i);
        seen = i + 1;
        if (event == BRACKET_OPENS) {
            TRY(push_bracket(finder, open));
            open = (Bracket){i, other_bracket[code], LEVEL_OPERAND, LEVEL_OPERAND};
            if (code == T_OPEN_PARENTHESIS) {
                int is_bases = i == bases || (i > 1 && codes[i - 1] == T_NAME && codes[i - 2] == T_CLASS);
                open.kind = is_bases ? BRACKET_BASES : round_after[code_before(codes + i)];
                if (fields && open.kind == BRACKET_GROUP)
                    open.kind = BRACKET_OTHER;
            } else if (code == T_OPEN_BRACKET)
                open.kind = square_after[code_before(codes + i)];
            else
                fields += open.kind == BRACKET_FIELD;
            continue;
        }
        if (!finder->depth)
            return CANNOT;
        Bracket inner = open;
        open = finder->stack[--finder->depth];
        if (inner.kind == BRACKET_FIELD)
            fields--;
        else if (inner.kind == BRACKET_INDEX && inner.start > 1 && codes[inner.start - 2] == T_CLASS)
            bases = i + 1;
        else if (inner.kind == BRACKET_GROUP) {
            Pair pair = {inner.start, i, inner.loosest, inner.tightest, comment_end > inner.start, open.kind};
            if (!is_redundant(finder, &pair))
                continue;
            finder->written[inner.start] = finder->written[i] = NOT_WRITTEN;
            int low = inner.loosest, high = inner.tightest; /* of what they leave in their place */
            if (i - inner.start == 1)
                low = LEVEL_KEPT, high = LEVEL_OPERAND; /* the parentheses around it are the empty tuple now */
            else if (high == LEVEL_TUPLE && codes[(ptrdiff_t)inner.start - 1] != T_OPEN_PARENTHESIS)
                low = high = LEVEL_OPERAND; /* targets */
            open.loosest = smaller(open.loosest, low);
            open.tightest = larger(open.tightest, high);
        }
    }
    return DONE;
}

/* The terminals that are written, in memory that the caller frees. */
Result without_redundant(const Stream *stream, size_t count, unsigned char **written) {
    unsigned char *codes = malloc(count + 4);
    Finder finder = {stream, count, NULL, malloc(count + 1), NULL, 0, 0};
    *written = finder.written;
    if (codes == NULL || finder.written == NULL) {
        free(codes);
        return NO_MEMORY;
    }
    codes[0] = codes[1] = codes[count + 2] = codes[count + 3] = T_LINE_SEP;
    for (size_t i = 0; i < count; i++)
        codes[i + 2] = finder.written[i] = stream->items[i].terminal;
    replace_some(codes + 2, count);
    finder.codes = codes + 2;
    Result result = find_redundant(&finder);
    free(finder.stack);
    free(codes);
    return result;
}

/* ------------------------------------------------------------------------------------------------------------ layout */

typedef struct {
    Writer writer;
    Buffer line;       /* the line break that starts a line of the current block */
    size_t last;       /* where the piece begins that was written last */
    size_t after_colon; /* where the current block begins, if it may still share the line of its header */
    size_t depth;      /* of open blocks */
    int joined;        /* the current block may still share the line of its header */
    int empty;         /* nothing is written in the current block yet */
    int shares;        /* the statement before, in the same block, takes another one on its line */
    int colon_written; /* a comment has ended the line of the header */
    char prefix[LONGEST_WORD]; /* of the statement that is to start, with the blank after it */
    size_t prefix_size;
    int place;
} Compact;

static inline Result put(Compact *compact, const char *text, size_t size) {
    compact->last = compact->writer.out.size;
    return buffer_add(&compact->writer.out, text, size);
}

static Result put_line(Compact *compact) { return put(compact, compact->line.data, compact->line.size); }

/* The current block does not share the line of its header after all. No byte is moved twice, as only one block at a time may share. */
static Result part_from_header(Compact *compact) {
    Buffer *out = &compact->writer.out;
    size_t at = compact->after_colon, size = compact->line.size;
    if (!compact->joined)
        return DONE;
    compact->joined = 0;
    TRY(buffer_reserve(out, size));
    memmove(out->data + at + size, out->data + at, out->size - at);
    memcpy(out->data + at, compact->line.data, size);
    out->size += size;
    if (compact->last >= at)
        compact->last += size;
    return DONE;
}

/* Start a statement; a simple one shares its line. */
static Result start_statement(Compact *compact, int shares) {
    if (!compact->empty && shares && compact->shares)
        TRY(put(compact, semicolon.text, semicolon.size));
    else {
        if (!compact->empty || !shares)
            TRY(part_from_header(compact));
        if (!compact->empty)
            TRY(put_line(compact));
    }
    compact->empty = 0;
    compact->shares = shares && compact->depth;
    return DONE;
}

static size_t without_line_feeds(const char *text, size_t size) {
    while (size && text[size - 1] == '\n')
        size--;
    return size;
}

/* A comment inside brackets. The line after it is indented, so that an own line needs no other break. */
static Result write_inner_comment(Compact *compact, const char *text, size_t size) {
    Buffer *out = &compact->writer.out;
    static const char mark[] = "<comment>";
    size_t mark_size = sizeof(mark) - 1;
    if (size < mark_size || memcmp(text, mark, mark_size) != 0)
        return CANNOT;
    text += mark_size;
    size = without_line_feeds(text, size - mark_size);
    if (!size)
        return CANNOT;
    TRY(buffer_add(&compact->line, indent.text, indent.size));
    size_t line_size = compact->line.size;
    int on_new_line = out->size - compact->last >= line_size && memcmp(out->data + out->size - line_size, compact->line.data, line_size) == 0;
    if (compact->place == AFTER_BLANK && !on_new_line)
        while (out->size > compact->last && out->data[out->size - 1] == ' ')
            out->size--;
    TRY(put(compact, before_comment.text, text[0] != '\n' && !on_new_line ? before_comment.size : 0));
    size_t skipped = text[0] == '\n' && on_new_line;
    TRY(buffer_add(out, text + skipped, size - skipped));
    TRY(buffer_add(out, compact->line.data, line_size));
    compact->line.size -= indent.size;
    compact->place = AFTER_BLANK;
    return DONE;
}

/* A field that keeps its text: out of its marks, and without what keeps marks in it apart. */
static Result write_verbatim(Compact *compact, const char *text, size_t size) {
    static const char mark[] = "<debug>";
    size_t mark_size = sizeof(mark) - 1, kept = mark_size - 1;
    if (size < 2 * mark_size || memcmp(text, mark, mark_size) != 0 || memcmp(text + size - mark_size, mark, mark_size) != 0)
        return CANNOT;
    const char *end = text + size - mark_size;
    TRY(put(compact, "", 0));
    for (text += mark_size; text < end;) {
        int is_marked = (size_t)(end - text) > kept && memcmp(text, mark, kept) == 0 && text[kept] == '\\';
        TRY(buffer_add(&compact->writer.out, text, is_marked ? kept : 1));
        text += is_marked ? kept + 1 : 1;
    }
    compact->place = AFTER_SIGN;
    return DONE;
}

/* The start of a block, with the colon before it. */
static Result start_block(Compact *compact) {
    if (compact->depth >= DEEPEST || compact->joined)
        return CANNOT;
    if (!compact->colon_written)
        TRY(put(compact, ":", 1));
    TRY(buffer_add(&compact->line, indent.text, indent.size));
    compact->depth++;
    TRY(put(compact, "", 0));
    compact->after_colon = compact->writer.out.size;
    compact->joined = 1;
    if (compact->colon_written)
        TRY(part_from_header(compact));
    compact->colon_written = 0;
    compact->empty = 1;
    compact->place = AT_START;
    return DONE;
}

static Result end_block(Compact *compact) {
    if (!compact->depth)
        return CANNOT;
    compact->depth--;
    compact->line.size -= indent.size;
    compact->joined = compact->shares = compact->empty = 0;
    compact->place = AT_START;
    return DONE;
}

/* What no table says. */
static Result handle(Compact *compact, int terminal, const char *text, size_t size) {
    Buffer *out = &compact->writer.out;
    switch (handlers[terminal]) {
    case WRITE_OTHER: { /* inside a statement: the first of it, or data after a word */
        if (compact->place == AT_START)
            TRY(start_statement(compact, 1));
        else if (!size)
            return CANNOT;
        else if (is_name_byte(text[0]))
            TRY(put(compact, " ", 1));
        const Constant *piece = &pieces[AFTER_BLANK][terminal];
        TRY(piece->size ? put(compact, piece->text, piece->size) : put(compact, text, size));
        compact->place = side_after[terminal];
        return DONE;
    }
    case WRITE_PREFIX_KEYWORD: /* before the one that starts the statement */
        compact->prefix_size = words[terminal].size;
        memcpy(compact->prefix, words[terminal].text, words[terminal].size);
        compact->place = AT_START;
        return DONE;
    case WRITE_KEYWORD: /* that starts a statement or a clause, or the sign of a decorator */
        TRY(start_statement(compact, shares_line[terminal]));
        TRY(put(compact, compact->prefix, compact->prefix_size));
        TRY(buffer_add(out, words[terminal].text, words[terminal].size));
        compact->prefix_size = 0;
        compact->place = side_after[terminal];
        return DONE;
    case WRITE_SKIP:
        return DONE;
    case WRITE_VERBATIM:
        return write_verbatim(compact, text, size);
    case WRITE_LINE_SEP:
        compact->place = AT_START;
        return DONE;
    case WRITE_BLOCK_START:
        return start_block(compact);
    case WRITE_BLOCK_END:
        return end_block(compact);
    case WRITE_COMMENT:
        TRY(start_statement(compact, 0));
        compact->place = AT_START;
        return put(compact, text, without_line_feeds(text, size));
    case WRITE_TRAILING_COMMENT:
        TRY(put(compact, before_comment.text, before_comment.size));
        compact->shares = 0;
        compact->place = AT_START;
        return buffer_add(out, text, without_line_feeds(text, size));
    case WRITE_HEADER_COMMENT:
        TRY(put(compact, ":", 1));
        TRY(buffer_add(out, before_comment.text, before_comment.size));
        compact->colon_written = 1;
        compact->place = AFTER_SIGN;
        return buffer_add(out, text, without_line_feeds(text, size));
    case WRITE_INNER_COMMENT:
        return write_inner_comment(compact, text, size);
    default: /* the blank between two strings stands always, and so never gets here */
        return CANNOT;
    }
}

static Result write_all(Compact *compact, const Stream *stream, const unsigned char *written, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int terminal = written[i];
        const Lexeme *lexeme = &stream->items[i];
        const Constant *piece = &pieces[compact->place][terminal];
        const char *text = lexeme->size ? lexeme_text(stream, lexeme) : "";
        if (piece->text == NULL) {
            TRY(handle(compact, terminal, text, lexeme->size));
            continue;
        }
        TRY(piece->size ? put(compact, piece->text, piece->size) : put(compact, text, lexeme->size));
        compact->place = side_after[terminal];
    }
    return compact->depth ? CANNOT : DONE;
}

static Result compact_write(Writer *writer, const Stream *stream, size_t count, int final, size_t *taken) {
    Compact *compact = (Compact *)writer;
    *taken = 0;
    if (!final)
        return DONE; /* only the end of a block settles whether it shares the line of its header */
    for (size_t i = 0; i < count; i++)
        if (stream->items[i].terminal >= TERMINALS)
            return CANNOT;
    unsigned char *written;
    Result result = without_redundant(stream, count, &written);
    if (result == DONE)
        result = write_all(compact, stream, written, count);
    free(written);
    *taken = result == DONE ? count : 0;
    return result;
}

static void compact_free(Writer *writer) {
    Compact *compact = (Compact *)writer;
    buffer_free(&compact->writer.out);
    buffer_free(&compact->line);
    free(compact);
}

static const WriterKind compact_kind = {compact_write, compact_free};

Result compact_new(Writer **made, const char *base, size_t base_size) {
    Compact *compact = calloc(1, sizeof(Compact));
    if (compact == NULL)
        return NO_MEMORY;
    compact->writer.kind = &compact_kind;
    compact->empty = 1;
    compact->place = AT_START;
    Result result = put(compact, base, base_size);
    if (result == DONE)
        result = buffer_add_byte(&compact->line, '\n');
    if (result == DONE)
        result = buffer_add(&compact->line, base, base_size);
    if (result != DONE) {
        compact_free(&compact->writer);
        return result;
    }
    *made = &compact->writer;
    return DONE;
}
