/* The queue of the tokens that later text may still change. */

#include "python_lexer.h"

const char *const python_form_text[FORMS] = {
    [FORM_NOT_IN] = "not in",      [FORM_IS_NOT] = "is not",
    [FORM_PARAMETERS] = "()",      [FORM_EXCEPT_STAR] = "except*",
    [FORM_NUMBER_DOT] = " .",      [FORM_FUTURE] = "from __future__ import",
    [FORM_FIELD_SPACE] = "{ ",
};

Result python_reserve_token(PythonReader *r) {
    void *queue = r->queue;
    TRY(array_reserve(&queue, &r->queue_room, r->queue_count + 1, sizeof(Token)));
    r->queue = queue;
    return DONE;
}

/* It counts as starting as many characters before its end as its text has. */
Result python_add_fixed(PythonReader *r, int token, int form, size_t end) {
    const char *data = python_text(r);
    uint32_t base = python_base(r);
    size_t start = end, size = strlen(python_form_text[form]);
    for (size_t i = 0; i < size && start > 0; i++)
        do
            start--;
        while (start > 0 && ((unsigned char)data[start] & 0xC0) == 0x80);
    if (end - start == size && memcmp(data + start, python_form_text[form], size) == 0)
        return add_text(r, token, start, end);
    return add(r, token, form, base + (uint32_t)end, 0, base + (uint32_t)start, base + (uint32_t)end);
}

static void count_comments_again(PythonReader *r, size_t from) {
    for (size_t i = from ? from : 1; i < r->queue_count; i++)
        r->queue[i].comments_before = r->queue[i - 1].token == INNER_TOKEN ? r->queue[i - 1].comments_before + 1 : 0;
}

void python_delete_token(PythonReader *r, size_t index) {
    r->queue_count--;
    memmove(r->queue + index, r->queue + index + 1, (r->queue_count - index) * sizeof(Token));
    count_comments_again(r, index);
}

Result python_insert_token(PythonReader *r, size_t index, Token token) {
    TRY(python_reserve_token(r));
    memmove(r->queue + index + 1, r->queue + index, (r->queue_count - index) * sizeof(Token));
    r->queue_count++;
    r->queue[index] = token;
    count_comments_again(r, index + 1);
    return DONE;
}

void python_put_comma_last(PythonReader *r) {
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
void python_hold(PythonReader *r, size_t at) {
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

enum { BATCH = 256 }; /* tokens that go to the automaton while there are more to read, so that few are in the queue */

Result python_deliver_some(PythonReader *r) {
    return r->queue_count < BATCH ? DONE : python_deliver(r, python_settled_tokens(r));
}
