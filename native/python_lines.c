/* Lines of Python: indents, blocks, comments, and `match`, which the end of its line tells. */

#include "python_lexer.h"

/* The column that white space leads to, as CPython counts it: at most eight for each byte of a program, of which there are 2 to the
   power of 27 at most (native/conversion.c). */
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

Result python_open_block(PythonReader *r, uint32_t column, uint32_t narrow, size_t end, int is_inline) {
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
        TRY(python_open_block(r, column, narrow, end, 0));
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
        python_delete_token(r, soft - 1);
    r->opening = WORD_MATCH;
    r->simple = 0;
}

Result python_end_line(PythonReader *r, size_t start, size_t end) {
    const char *data = python_text(r);
    if (r->header)
        return CANNOT;
    if (r->soft != NOWHERE)
        settle_match(r);
    r->word = WORD_OTHER;
    TRY(python_deliver_some(r));
    if (end == r->length || data[end] == '#' || data[end] == '\\') {
        r->line_start = 1;
        r->first = 0;
        size_t line = python_line_feed_from(data, start, r->length);
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

/* Read blank lines, comments and the indent of the next statement. */
Result python_start_line(PythonReader *r, int final) {
    const char *data = python_text(r);
    size_t length = r->length, start, end;
    for (;;) {
        start = r->at;
        end = python_after_blanks(data, start);
        size_t comment = end;
        if (end < length && data[end] == '#')
            end = python_line_feed_from(data, end, length);
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
        const Word *word = python_find_word(r->tokens, data + end, name - end);
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

Result python_line_comment(PythonReader *r, size_t at, size_t end) {
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
Result python_inner_comment(PythonReader *r, size_t at, size_t end) {
    const char *data = python_text(r);
    uint32_t base = python_base(r);
    size_t before = at;
    while (before && is_blank(data[before - 1]))
        before--;
    int own = before ? data[before - 1] == '\n' : r->blank;
    return add(r, INNER_TOKEN, own ? FORM_OWN : FORM_INNER, base + (uint32_t)at, (uint32_t)(end - at), base + (uint32_t)at,
               base + (uint32_t)end);
}
