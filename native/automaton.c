/* The pushdown automaton: tokens in, lexemes out. What simpy_grammar.reader does with nodes and runs, on a plain stack of states.

   A token that cannot stand leaves everything as it was: the reductions that it causes are written beside the stack, and put
   into it when the token has been shifted. */

#include "core.h"

#include <stdlib.h>

/* Where a step has got to: of the stack the first `low` states, then `count` states above them. */
typedef struct {
    size_t low, count, emitted;
} Step;

Result automaton_start(Automaton *automaton, const Tables *tables) {
    automaton->tables = tables;
    void *stack = automaton->stack;
    automaton->chains = calloc(CHAINS, sizeof(Chain));
    TRY(automaton->chains == NULL ? NO_MEMORY : DONE);
    TRY(array_reserve(&stack, &automaton->room, 256, sizeof(uint16_t)));
    automaton->stack = stack;
    automaton->stack[0] = 0;
    automaton->depth = 1;
    return DONE;
}

void automaton_free(Automaton *automaton) {
    free(automaton->chains);
    free(automaton->stack);
    free(automaton->above);
    free(automaton->emitted);
    stream_free(&automaton->stream);
    *automaton = (Automaton){0};
}

static Result put_above(Automaton *automaton, Step *step, int state) {
    if (step->count == automaton->above_room) {
        void *above = automaton->above;
        TRY(array_reserve(&above, &automaton->above_room, step->count + 1, sizeof(uint16_t)));
        automaton->above = above;
    }
    automaton->above[step->count++] = (uint16_t)state;
    return DONE;
}

static inline int top_of(const Automaton *automaton, const Step *step) {
    return step->count ? automaton->above[step->count - 1] : automaton->stack[step->low - 1];
}

static inline int is_plain(const Rule *rule) { return rule->length == 1 && rule->terminal == NO_TERMINAL; }

/* The state that a row of plain reductions ends in, or -1 if the tables are not sound. */
static int after_chain(const Automaton *automaton, int below, int state, int token) {
    const Tables *tables = automaton->tables;
    Chain *chain = &automaton->chains[((unsigned)below * 31 + (unsigned)state * 5 + (unsigned)token * 97) % CHAINS];
    if (chain->next && chain->below == below && chain->state == state && chain->token == token)
        return chain->next - 1;
    *chain = (Chain){(uint16_t)below, (uint16_t)state, (uint16_t)token, 0};
    /* No row is longer than there are rules, unless it has no end. */
    for (int i = 0; i <= tables->rules; i++) {
        int action = action_of(tables, state, token);
        if (action >= 0 || !is_plain(&tables->rule[-1 - action])) {
            chain->next = (uint16_t)(state + 1);
            return state;
        }
        state = goto_of(tables, below, tables->rule[-1 - action].name);
        if (state < 0)
            break;
    }
    return -1;
}

/* Do what a token causes, beside the stack. */
static Result take_step(Automaton *automaton, Step *step, int token) {
    const Tables *tables = automaton->tables;
    /* How many reductions may come before one that takes away what was there before them: there is no end only if the tables are not sound. */
    const size_t most = step->count + (size_t)tables->rules + (size_t)tables->states;
    size_t idle = 0;
    for (;;) {
        int state = top_of(automaton, step);
        int action = action_of(tables, state, token);
        if (action > 0)
            return put_above(automaton, step, action - 1);
        if (action == 0)
            return CANNOT;
        const Rule *rule = &tables->rule[-1 - action];
        size_t length = rule->length;
        if (length <= step->count) {
            step->count -= length;
            if (idle++ == most)
                return CANNOT;
        } else {
            idle = 0;
            length -= step->count;
            step->count = 0;
            if (length >= step->low)
                return CANNOT; /* the tables are not sound */
            step->low -= length;
        }
        int below = top_of(automaton, step), next;
        if (is_plain(rule))
            next = after_chain(automaton, below, state, token);
        else
            next = goto_of(tables, below, rule->name);
        if (rule->terminal != NO_TERMINAL) {
            if (step->emitted == automaton->emitted_room) {
                void *emitted = automaton->emitted;
                TRY(array_reserve(&emitted, &automaton->emitted_room, step->emitted + 1, 1));
                automaton->emitted = emitted;
            }
            automaton->emitted[step->emitted++] = rule->terminal;
        }
        if (next < 0)
            return CANNOT;
        TRY(put_above(automaton, step, next));
    }
}

Result automaton_accepts(Automaton *automaton, const int *tokens, int count) {
    Step step = {automaton->depth, 0, 0};
    for (int i = 0; i < count; i++)
        TRY(take_step(automaton, &step, tokens[i]));
    return DONE;
}

/* Name the commas of the row at the end of the stream as those between targets. */
static void name_targets(Stream *stream) {
    int depth = 0;
    for (size_t i = stream->count; i-- > 0;) {
        int terminal = stream->items[i].terminal;
        int role = terminal < TERMINALS ? terminal_role[terminal] : -1;
        if (!depth && (terminal == T_LINE_SEP || terminal == T_BLOCK_START || terminal == T_BLOCK_END || terminal == T_ASSIGN ||
                       (role == ROLE_COMMENT && terminal != T_INNER_COMMENT)))
            return;
        if (terminal == T_CLOSE_PARENTHESIS || terminal == T_CLOSE_BRACKET || terminal == T_CLOSE_BRACE)
            depth++;
        else if (terminal == T_OPEN_PARENTHESIS || terminal == T_OPEN_BRACKET || terminal == T_OPEN_BRACE || terminal == T_FIELD_START)
            depth--;
        else if (terminal == T_EXPRESSION_SEP && !depth)
            stream->items[i].terminal = T_TARGET_SEP;
    }
}

Result automaton_push(Automaton *automaton, int token, Lexeme lexeme) {
    const Tables *tables = automaton->tables;
    Stream *stream = &automaton->stream;
    Step step = {automaton->depth, 0, 0};
    int before = automaton_state(automaton);
    TRY(take_step(automaton, &step, token));
    if (step.low + step.count > automaton->room) {
        void *stack = automaton->stack;
        TRY(array_reserve(&stack, &automaton->room, step.low + step.count, sizeof(uint16_t)));
        automaton->stack = stack;
    }
    memcpy(automaton->stack + step.low, automaton->above, step.count * sizeof(uint16_t));
    automaton->depth = step.low + step.count;
    size_t first = 0;
    if (tables->shifted[before] == T_PENDING && step.emitted && stream->count) { /* the token tells which terminal the last lexeme is */
        int terminal = automaton->emitted[first++];
        if (terminal_role[terminal] == ROLE_DROPPED)
            stream->count--;
        else
            stream->items[stream->count - 1].terminal = (uint8_t)terminal;
    }
    if (step.emitted > first && memchr(automaton->emitted + first, T_TARGETS, step.emitted - first) != NULL)
        name_targets(stream);
    for (size_t i = first; i < step.emitted; i++)
        if (automaton->emitted[i] != T_TARGETS)
            TRY(stream_add(stream, (Lexeme){lexeme.start, 0, lexeme.start, automaton->emitted[i], 0}));
    lexeme.terminal = tables->shifted[automaton_state(automaton)];
    return lexeme.terminal == NO_TERMINAL ? DONE : stream_add(stream, lexeme);
}

int automaton_innermost(const Automaton *automaton) {
    const uint8_t *raw = automaton->tables->raw;
    /* Only the next token reduces a bracket that has just been closed. */
    int top = raw[automaton_state(automaton)];
    int is_closed = top < TERMINALS && terminal_role[top] == ROLE_CLOSE;
    for (size_t i = automaton->depth; i-- > 0;) {
        int terminal = raw[automaton->stack[i]];
        if (terminal >= TERMINALS)
            continue;
        int role = terminal_role[terminal];
        int is_bracket = role == ROLE_OPEN || terminal == T_FIELD_START;
        if (is_bracket && !is_closed)
            return terminal;
        is_closed = is_closed && !is_bracket;
        if (terminal == T_LINE_SEP || terminal == T_BLOCK_START || terminal == T_BLOCK_END || role == ROLE_HEADER || role == ROLE_DEFINITION)
            return NO_TERMINAL;
    }
    return NO_TERMINAL;
}
