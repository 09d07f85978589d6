/* Python's layout: lines, indents, blank lines and comments. What transpiler.pep8 and transpiler.blank_lines do, over the same rows.

   A row is written as it is looked at. If that shows that it may have to be broken, or that it goes on, what has been written is
   taken back, and the row goes through the line breaker. */

#include "layout.h"
#include "writer.h"

#include <stdlib.h>

/* What kinds are to rows. */
enum { STARTS = 1, FOLLOWS_PREFIX = 2, ENDS = 4, MAY_BREAK = 8, HAS_COMMENT = 16, IS_STRING = 32 };
static const unsigned char row_part[256] = {
    [K_PREFIXES] = STARTS,
    [K_DEFINES] = STARTS | FOLLOWS_PREFIX,
    [K_DECORATES] = STARTS,
    [K_HEADS] = STARTS | FOLLOWS_PREFIX,
    [K_CLAUSES] = STARTS,
    [K_STATES] = STARTS,
    [K_IMPORTS] = STARTS | FOLLOWS_PREFIX,
    [K_FUTURE] = STARTS | FOLLOWS_PREFIX | MAY_BREAK,
    [K_SEPARATOR] = ENDS,
    [K_BLOCK_START] = ENDS,
    [K_BLOCK_END] = ENDS,
    [K_COMMENT] = ENDS,
    [K_TRAILING_COMMENT] = ENDS,
    [K_HEADER_COMMENT] = ENDS,
    [K_OPENS] = MAY_BREAK,
    [K_NAMES] = MAY_BREAK,
    [K_INNER_COMMENT] = HAS_COMMENT,
    [K_LITERAL] = IS_STRING,
    [K_CONCATENATES] = IS_STRING,
};

typedef struct {
    Writer writer;
    LineStarts starts;
    LineBreaker breaker;
    int64_t width;
    const char *modules;
    size_t modules_size;
    unsigned char defines[DEEPEST_BLOCK]; /* for each open block, whether it is that of a definition */
    int depth;                            /* how many blocks are open */
    int before;                           /* what stands before the next row */
    Buffer comments;                      /* those that wait for the next row, each after its size */
    int import_group;                     /* of the last import */
    int may_be_docstring;                 /* the row that has not ended yet holds nothing but strings so far */
    int row_size;                         /* how many of its first kinds are known, at most 2; 0: there is no such row */
    unsigned char row[2];                 /* those */
    int has_written;
} Layout;

/* A row in a stream. */
typedef struct {
    const Stream *stream;
    size_t at, end;    /* its lexemes */
    size_t ending_end; /* up to here, what ends it */
    int lead;          /* the kind that it begins with, its prefix apart */
    int defines;
    int colon;         /* one ends it */
} Row;

static inline int kind_at(const Stream *stream, size_t at) { return terminal_kind[stream->items[at].terminal]; }

static inline int part_at(const Stream *stream, size_t at) { return row_part[kind_at(stream, at)]; }

/* ----------------------------------------------------------------------------------------------------- blank lines */

enum { NOTHING = -1 }; /* instead of a line break */

/* How many blank lines stand before a row of some sort. */
static int blanks_before(const Layout *layout, int role) {
    if (layout->before == PLACE_START)
        return NOTHING;
    int count = blank_lines[layout->before][role], most = layout->depth ? 1 : 2;
    return count < most ? count : most;
}

static Result break_line(Layout *layout, int blanks) {
    if (blanks == NOTHING)
        return DONE;
    while (blanks-- > 0)
        TRY(buffer_add_byte(&layout->writer.out, '\n'));
    return add_line_start(&layout->starts, layout->depth, &layout->writer.out);
}

static int is_module(const Layout *layout, Piece name) {
    size_t low = 0, high = layout->modules_size; /* starts of lines */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        while (middle > low && layout->modules[middle - 1] != '\n')
            middle--;
        const char *found = layout->modules + middle, *end = memchr(found, '\n', layout->modules_size - middle);
        size_t size = end == NULL ? layout->modules_size - middle : (size_t)(end - found);
        int order = memcmp(name.text, found, name.size < size ? name.size : size);
        if (order == 0 && name.size == size)
            return 1;
        if (order < 0 || (order == 0 && name.size < size))
            high = middle;
        else
            low = middle + size + 1;
    }
    return 0;
}

/* Which of PEP 8's groups an import is in: that of the future, the standard library, other packages, this package. */
static int group_of(const Layout *layout, const Stream *stream, size_t at, size_t count) {
    at += kind_at(stream, at) == K_PREFIXES ? 2 : 1;
    if (at >= count || part_at(stream, at) & (STARTS | ENDS) || kind_at(stream, at - 1) == K_FUTURE)
        return 0;
    Piece name = piece_of(stream, &stream->items[at]);
    return name.size && name.text[0] == '.' ? 3 : is_module(layout, name) ? 1 : 2;
}

/* -------------------------------------------------------------------------------------------------------- comments */

static Piece comment_text(const Stream *stream, size_t at) {
    Piece piece = piece_of(stream, &stream->items[at]);
    while (piece.size && piece.text[piece.size - 1] == '\n')
        piece.size--;
    return piece;
}

/* Write the comments that have waited for a row, after so many blank lines. */
static Result write_comments(Layout *layout, int blanks) {
    Buffer *comments = &layout->comments;
    for (size_t at = 0; at < comments->size; blanks = 0) {
        size_t size;
        memcpy(&size, comments->data + at, sizeof(size));
        TRY(break_line(layout, blanks));
        TRY(buffer_add(&layout->writer.out, comments->data + at + sizeof(size), size));
        at += sizeof(size) + size;
    }
    comments->size = 0;
    return DONE;
}

/* A comment on a line of its own. */
static Result own_line_comment(Layout *layout, Piece piece) {
    if (layout->before > PLACE_DECORATOR) {
        TRY(buffer_add(&layout->comments, (const char *)&piece.size, sizeof(piece.size)));
        return buffer_add(&layout->comments, piece.text, piece.size);
    }
    TRY(break_line(layout, blanks_before(layout, ROW_ANYTHING)));
    if (layout->before == PLACE_START)
        layout->before = PLACE_TOP;
    return buffer_add(&layout->writer.out, piece.text, piece.size);
}

static Result end_of_line_comment(Layout *layout, Piece piece) {
    TRY(buffer_add(&layout->writer.out, "  ", 2));
    return buffer_add(&layout->writer.out, piece.text, piece.size);
}

/* --------------------------------------------------------------------------------------------------- what ends a row */

static Result open_block(Layout *layout, int defines) {
    if (layout->depth == DEEPEST_BLOCK)
        return CANNOT;
    layout->defines[layout->depth++] = (unsigned char)defines;
    layout->before = PLACE_FRESH;
    return DONE;
}

static Result end_blocks(Layout *layout, size_t count) {
    if (layout->comments.size)
        TRY(write_comments(layout, blanks_before(layout, ROW_ANYTHING)));
    if (count > (size_t)layout->depth)
        return CANNOT;
    layout->depth -= (int)count;
    layout->before = layout->defines[layout->depth] ? PLACE_DEFINITION : PLACE_STATEMENT;
    return DONE;
}

static inline size_t stub_size(const Stream *stream, size_t at, size_t count) {
    return at + 1 < count && kind_at(stream, at) == K_ELLIPSIS && kind_at(stream, at + 1) == K_BLOCK_END ? 2 : 0;
}

/* Find what ends a row. */
static void find_ending(Row *row, size_t count) {
    const Stream *stream = row->stream;
    size_t at = row->end;
    row->colon = 0;
    if (at < count && part_at(stream, at) & ENDS) {
        int kind = kind_at(stream, at++);
        if (kind == K_BLOCK_END)
            while (at < count && kind_at(stream, at) == K_BLOCK_END)
                at++;
        else if (kind == K_BLOCK_START || kind == K_HEADER_COMMENT) {
            row->colon = 1;
            if (kind == K_BLOCK_START || (at < count && kind_at(stream, at) == K_BLOCK_START)) {
                at += kind == K_HEADER_COMMENT;
                at += stub_size(stream, at, count);
            }
        }
    }
    row->ending_end = at;
}

/* What ends a row but for the next row and a separator. Its colon has been written; `column` is where it ends. */
static Result end_row(Layout *layout, const Row *row, int64_t column) {
    const Stream *stream = row->stream;
    size_t at = row->end, size = row->ending_end - at;
    int kind = kind_at(stream, at);
    if (kind == K_BLOCK_END)
        return end_blocks(layout, size);
    if (kind == K_COMMENT)
        return own_line_comment(layout, comment_text(stream, at));
    if (kind == K_TRAILING_COMMENT)
        return end_of_line_comment(layout, comment_text(stream, at));
    if (kind == K_HEADER_COMMENT) {
        TRY(end_of_line_comment(layout, comment_text(stream, at)));
        if (--size == 0)
            return DONE;
    } else if (size == 3 && row->defines && column + 4 <= layout->width) {
        layout->before = PLACE_DEFINITION;
        return buffer_add(&layout->writer.out, " ...", 4);
    }
    TRY(open_block(layout, row->defines));
    if (size != 3)
        return DONE;
    TRY(write_comments(layout, 0));
    TRY(break_line(layout, 0));
    TRY(buffer_add(&layout->writer.out, "...", 3));
    layout->before = PLACE_STATEMENT;
    return end_blocks(layout, 1);
}

/* ------------------------------------------------------------------------------------------------------------ rows */

/* Give lexemes of a row that has not ended to the line breaker. */
static Result write_part(Layout *layout, const Stream *stream, size_t at, size_t end) {
    for (size_t i = at; i < end && layout->may_be_docstring; i++)
        layout->may_be_docstring = part_at(stream, i) == IS_STRING;
    return breaker_write(&layout->breaker, stream, at, end, 0);
}

/* Write the rest of a row, or more of it; `at` becomes what comes after it. */
static Result go_on(Layout *layout, const Stream *stream, size_t *at, size_t count) {
    Row row = {.stream = stream, .at = *at, .end = *at};
    while (row.end < count && !(part_at(stream, row.end) & (STARTS | ENDS)))
        row.end++;
    if (row.end > row.at)
        TRY(write_part(layout, stream, row.at, row.end));
    *at = row.end;
    if (row.end == count)
        return DONE;
    find_ending(&row, count);
    int is_prefixed = layout->row[0] == K_PREFIXES && layout->row_size > 1;
    row.lead = layout->row[is_prefixed];
    row.defines = layout->row[0] == K_DEFINES || (is_prefixed && row.lead == K_DEFINES);
    layout->row_size = 0;
    TRY(breaker_end(&layout->breaker, row.colon));
    int is_first = layout->before <= PLACE_TOP;
    layout->before = is_first && layout->may_be_docstring ? PLACE_DOCSTRING : place_after[layout->depth > 0][row.lead];
    *at = row.ending_end;
    return row.ending_end > row.end && kind_at(stream, row.end) != K_SEPARATOR ? end_row(layout, &row, breaker_column(&layout->breaker)) : DONE;
}

/* Write what stands before a row. */
static Result begin_row(Layout *layout, const Row *row, size_t count) {
    int role = row_role[layout->depth > 0][row->lead];
    int blanks = blanks_before(layout, role);
    if (role == ROW_IMPORTED) {
        int group = group_of(layout, row->stream, row->at, count);
        blanks += layout->before == PLACE_IMPORT && group != layout->import_group;
        layout->import_group = group;
    }
    if (layout->comments.size) {
        TRY(write_comments(layout, blanks));
        blanks = 0;
    }
    return break_line(layout, blanks);
}

static inline Result write_lexeme(Layout *layout, const Stream *stream, size_t at) {
    Piece piece = piece_of(stream, &stream->items[at]);
    return buffer_add(&layout->writer.out, piece.text, piece.size);
}

/* Write the row at `row.at`; return whether it ends among these lexemes, in `ends`. `column` becomes where it ends, if it ends in
   a colon. */
static Result write_row(Layout *layout, Row *row, size_t count, int *ends, int64_t *column) {
    const Stream *stream = row->stream;
    Buffer *out = &layout->writer.out;
    size_t at = row->at, is_prefixed = 0;
    row->lead = kind_at(stream, at);
    row->defines = row->lead == K_DEFINES;
    if (row->lead == K_PREFIXES && at + 1 < count) {
        int next = part_at(stream, at + 1);
        is_prefixed = (next & FOLLOWS_PREFIX) != 0;
        if (!(next & ENDS) && (is_prefixed || !(next & STARTS)))
            row->lead = kind_at(stream, at + 1);
        row->defines = row->lead == K_DEFINES;
    }
    TRY(begin_row(layout, row, count));
    size_t text_at = out->size;
    int parts = row_part[kind_at(stream, at)], all = parts;
    TRY(write_lexeme(layout, stream, at++));
    if (is_prefixed) {
        parts |= part_at(stream, at);
        TRY(write_lexeme(layout, stream, at++));
    }
    for (int part; at < count && !((part = part_at(stream, at)) & (STARTS | ENDS)); at++) {
        parts |= part;
        all &= part;
        TRY(write_lexeme(layout, stream, at));
    }
    row->end = at;
    *ends = at < count;
    if (!*ends) { /* more of it may come */
        out->size = text_at;
        layout->row_size = at - row->at > 1 ? 2 : 1;
        for (int i = 0; i < layout->row_size; i++)
            layout->row[i] = (unsigned char)kind_at(stream, row->at + (size_t)i);
        layout->may_be_docstring = 1;
        breaker_begin(&layout->breaker, layout->depth);
        return write_part(layout, stream, row->at, at);
    }
    find_ending(row, count);
    const char *text = out->data + text_at;
    size_t size = out->size - text_at;
    int64_t indented = indent_width(&layout->starts, layout->depth);
    int is_broken = parts & HAS_COMMENT;
    if (!is_broken && parts & MAY_BREAK) {
        is_broken = indented + (int64_t)size + row->colon > layout->width && indented + (int64_t)characters(text, size) + row->colon > layout->width;
        is_broken = is_broken || has_line_feed((Piece){text, size});
    }
    if (is_broken) {
        out->size = text_at;
        breaker_begin(&layout->breaker, layout->depth);
        TRY(breaker_write(&layout->breaker, stream, row->at, at, 0));
        TRY(breaker_end(&layout->breaker, row->colon));
        *column = breaker_column(&layout->breaker);
    } else if (row->colon) {
        size_t line = size;
        while (line && text[line - 1] != '\n')
            line--;
        *column = (int64_t)characters(text + line, size - line) + 1 + (line ? 0 : indented);
        TRY(buffer_add_byte(out, ':'));
    }
    int is_docstring = layout->before <= PLACE_TOP && all & IS_STRING;
    layout->before = is_docstring ? PLACE_DOCSTRING : place_after[layout->depth > 0][row->lead];
    return DONE;
}

static Result write_rows(Layout *layout, const Stream *stream, size_t at, size_t count) {
    if (layout->row_size)
        TRY(go_on(layout, stream, &at, count));
    while (at < count) {
        Row row = {.stream = stream, .at = at, .end = at};
        int64_t column = 0;
        if (!(part_at(stream, at) & ENDS)) {
            int ends;
            TRY(write_row(layout, &row, count, &ends, &column));
            if (!ends)
                return DONE;
        } else
            find_ending(&row, count);
        at = row.ending_end;
        if (at > row.end && kind_at(stream, row.end) != K_SEPARATOR)
            TRY(end_row(layout, &row, column));
    }
    return DONE;
}

/* ------------------------------------------------------------------------------------------------------- the writer */

/* How many of the first lexemes can be written: what comes next decides how the last ones are. */
static size_t decided(const Stream *stream, size_t count) {
    int last = count ? kind_at(stream, count - 1) : 0, before = count > 1 ? kind_at(stream, count - 2) : 0;
    int is_import = last == K_IMPORTS || last == K_FUTURE;
    int is_stub = last == K_ELLIPSIS && before == K_BLOCK_START && (count < 3 || kind_at(stream, count - 3) != K_HEADER_COMMENT);
    if ((is_import && before == K_PREFIXES) || is_stub)
        return count - 2;
    if (is_import || last == K_PREFIXES || last == K_HEADER_COMMENT || (last == K_BLOCK_START && before != K_HEADER_COMMENT))
        return count - 1;
    return count;
}

static int is_enclosed(const Stream *stream, const Lexeme *lexeme, const char *mark, size_t size, int twice) {
    if (lexeme->size < size + (twice ? size : 0))
        return 0;
    const char *text = lexeme_text(stream, lexeme);
    return memcmp(text, mark, size) == 0 && (!twice || memcmp(text + lexeme->size - size, mark, size) == 0);
}

/* Whether the text of each lexeme is such as the readers make it, and needs no rewriting. */
static Result check(const Stream *stream, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const Lexeme *lexeme = &stream->items[i];
        if (lexeme->terminal >= TERMINALS)
            return CANNOT;
        if (lexeme->terminal == T_INNER_COMMENT && !is_enclosed(stream, lexeme, "<comment>", COMMENT_SIZE, 0))
            return CANNOT;
        if (lexeme->terminal == T_FIELD_VERBATIM) {
            if (!is_enclosed(stream, lexeme, "<debug>", DEBUG_SIZE, 1))
                return CANNOT;
            const char *text = lexeme_text(stream, lexeme);
            for (size_t at = DEBUG_SIZE; at + 2 * DEBUG_SIZE <= lexeme->size; at++) /* "<debug\" stands for "<debug" */
                if (memcmp(text + at, "<debug\\", DEBUG_SIZE) == 0)
                    return CANNOT;
        }
    }
    return DONE;
}

/* Write the last lexemes. */
static Result finish(Layout *layout, const Stream *stream, size_t at, size_t count) {
    TRY(write_rows(layout, stream, at, count));
    if (layout->row_size)
        TRY(breaker_end(&layout->breaker, 0));
    layout->row_size = 0;
    return write_comments(layout, blanks_before(layout, ROW_ANYTHING));
}

static Result layout_write(Writer *writer, const Stream *stream, size_t count, int final, size_t *taken) {
    Layout *layout = (Layout *)writer;
    TRY(check(stream, count));
    *taken = decided(stream, count);
    TRY(write_rows(layout, stream, 0, *taken));
    if (final) {
        TRY(finish(layout, stream, *taken, count));
        *taken = count;
    }
    layout->has_written |= writer->out.size > 0;
    return final && layout->has_written ? buffer_add_byte(&writer->out, '\n') : DONE;
}

static void layout_free(Writer *writer) {
    Layout *layout = (Layout *)writer;
    buffer_free(&writer->out);
    buffer_free(&layout->starts.text);
    buffer_free(&layout->comments);
    breaker_free(&layout->breaker);
    free(layout);
}

static const WriterKind layout_kind = {layout_write, layout_free};

Result layout_new(Writer **made, size_t width, const char *indent, size_t indent_size, const char *base, size_t base_size,
                  const char *modules, size_t modules_size) {
    *made = NULL;
    if (width != (size_t)-1 && width > LARGEST_TEXT)
        return CANNOT;
    Layout *layout = calloc(1, sizeof(Layout));
    if (layout == NULL)
        return NO_MEMORY;
    layout->writer.kind = &layout_kind;
    layout->width = width == (size_t)-1 ? NOWHERE : (int64_t)width;
    layout->modules = modules;
    layout->modules_size = modules_size;
    layout->breaker.queue.out = &layout->writer.out;
    layout->breaker.queue.width = layout->width;
    layout->breaker.queue.starts = &layout->starts;
    Result result = line_starts_make(&layout->starts, indent, indent_size, base, base_size);
    if (result == DONE)
        *made = &layout->writer;
    else
        layout_free(&layout->writer);
    return result;
}
